import { disagreements } from './rate-history.ts'
import type { RatingHistory } from './rating-history.ts'

/** A shorter history that still goes wrong, to be read by somebody: whatever may be left out is left out. */
export const shortened = (history: RatingHistory): RatingHistory => {
  let shortest = history
  for (let isShorter = true; isShorter; ) {
    isShorter = false
    for (const shorter of shorterOnes(shortest)) {
      if (!stillWrong(shorter)) continue
      shortest = shorter
      isShorter = true
      break
    }
  }
  return shortest
}

const stillWrong = (history: RatingHistory): boolean => {
  try {
    return disagreements(history).some((sentence) => !sentence.includes('refused'))
  } catch {
    return false
  }
}

/** Each with one thing less. */
const shorterOnes = function* (history: RatingHistory): Generator<RatingHistory> {
  const places: (string | number)[][] = []
  const walk = (value: unknown, path: (string | number)[]) => {
    if (path.length > 0) places.push(path)
    if (Array.isArray(value)) for (const [index, item] of value.entries()) walk(item, [...path, index])
    else if (typeof value === 'object' && value !== null)
      for (const [key, item] of Object.entries(value)) walk(item, [...path, key])
  }
  walk({ file: history.file, request: history.request }, [])
  for (const path of places) {
    const copy = structuredClone(history)
    const parent = path.slice(0, -1).reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], copy)
    if (Array.isArray(parent)) parent.splice(path.at(-1) as number, 1)
    else delete (parent as Record<string, unknown>)[path.at(-1)!]
    yield copy
  }
}
