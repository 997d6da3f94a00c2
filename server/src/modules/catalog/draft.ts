import { closest, isRecord, type ShapeProblem } from './explain-shape.ts'
import type { Path } from './read-yaml.ts'

/**
 * A file that may have mistakes of form, read by the rules of meaning: they look at every part that is well formed, so
 * that all mistakes are named at once.
 */
export type Draft = {
  /** The entries of a group, well formed or not; none when it is missing or no group. */
  entries(...path: Path): [string, unknown][]
  names(...path: Path): string[]
  /** How many items a list has, well formed or not. */
  count(...path: Path): number
  /** The value at a path when it has no mistake of form, around it or in it; otherwise undefined. */
  sound<T>(...path: Path): T | undefined
  report(path: Path, message: string, at?: 'key' | 'value'): void
  /** Reports a name that is not in a group: `plans.pro.grants.x: There is no feature "x".` */
  mustExist(path: Path, what: string, name: string, group: string, at?: 'key' | 'value'): boolean
}

export const draftOf = (value: unknown, shapeProblems: readonly ShapeProblem[], report: Draft['report']): Draft => {
  // Every path with a mistake at or below it. A mistake above it leaves nothing there to look at.
  const troubled = new Set<string>()
  for (const { path } of shapeProblems) {
    for (let length = 0; length <= path.length; length++) troubled.add(JSON.stringify(path.slice(0, length)))
  }
  const at = (path: Path): unknown =>
    path.reduce<unknown>((inner, key) => {
      if (typeof key === 'number') return Array.isArray(inner) ? inner[key] : undefined
      return isRecord(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined
    }, value)
  const entries = (...path: Path): [string, unknown][] => {
    const group = at(path)
    return isRecord(group) ? Object.entries(group) : []
  }
  const names = (...path: Path) => entries(...path).map(([name]) => name)
  return {
    entries,
    names,
    count: (...path) => {
      const items = at(path)
      return Array.isArray(items) ? items.length : 0
    },
    sound: <T>(...path: Path) => {
      if (troubled.has(JSON.stringify(path))) return undefined
      return at(path) as T | undefined
    },
    report,
    mustExist: (path, what, name, group, place = 'value') => {
      const known = names(group)
      if (known.includes(name)) return true
      report(path, `There is no ${what} "${name}"${closest(name, known)}.`, place)
      return false
    },
  }
}
