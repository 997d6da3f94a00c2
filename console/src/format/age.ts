import { plural } from './quantity.ts'

/** `40 seconds`, `3 hours`, `12 days`: how long something is or was open, in its largest whole unit. */
export function formatAge(seconds: number): string {
  const [size, unit] = units.find(([size]) => seconds >= size) ?? [1, 'second']
  const count = Math.floor(seconds / size)
  return `${count} ${plural(count, unit)}`
}

const units: [number, string][] = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
]
