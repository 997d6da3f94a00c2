import { type CounterRef, type CounterRow, nameOf } from './store.ts'

/** Counters as this process has left them; whether they are still so, the database says when they are raised. */
export type Remembered = {
  /**
   * Works on counters and remembers those of which it says how it `left` them; the others are forgotten, all of them when it
   * fails. `known` are all of them in their order, or null where one is not remembered or is worked on already, which will
   * leave it differently.
   */
  workOn<T extends { left: readonly CounterRow[] }>(
    refs: readonly CounterRef[],
    work: (known: readonly CounterRow[] | null) => Promise<T>,
  ): Promise<T>
}

/** Remembers at most so many, those that were left last. */
export const createRemembered = (max: number): Remembered => {
  const byName = new Map<string, CounterRow>()
  const workedOn = new Map<string, number>()

  const take = (names: readonly string[]): CounterRow[] | null => {
    const known = names.flatMap((name) => {
      const others = workedOn.get(name) ?? 0
      workedOn.set(name, others + 1)
      const counter = byName.get(name)
      byName.delete(name)
      return counter && others === 0 ? [counter] : []
    })
    return known.length === names.length ? known : null
  }

  const leave = (names: readonly string[], left: readonly CounterRow[]): void => {
    for (const name of names) {
      const others = workedOn.get(name)! - 1
      if (others === 0) workedOn.delete(name)
      else workedOn.set(name, others)
    }
    for (const counter of left) {
      const name = nameOf(counter)
      if (!workedOn.has(name)) byName.set(name, counter)
    }
    for (const name of byName.keys()) {
      if (byName.size <= max) break
      byName.delete(name)
    }
  }

  return {
    workOn: async (refs, work) => {
      const names = refs.map(nameOf)
      const known = take(names)
      let left: readonly CounterRow[] = []
      try {
        const done = await work(known)
        left = done.left
        return done
      } finally {
        leave(names, left)
      }
    },
  }
}
