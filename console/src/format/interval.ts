import { plural } from './quantity.ts'

/** `month` → `per month`, `3 month` → `every 3 months`: the interval that is really charged, never normalised. */
export function perInterval(interval: string): string {
  const { count, unit } = parseInterval(interval)
  return count === 1 ? `per ${unit}` : `every ${count} ${plural(count, unit)}`
}

const adjectives: Record<string, string> = { day: 'Daily', week: 'Weekly', month: 'Monthly', year: 'Yearly' }

export function intervalName(interval: string): string {
  const { count, unit } = parseInterval(interval)
  return count === 1 ? (adjectives[unit] ?? unit) : `Every ${count} ${plural(count, unit)}`
}

/** Months of an interval, or null where it is not made of whole months: those are never compared. */
export function monthsOf(interval: string): number | null {
  const { count, unit } = parseInterval(interval)
  if (unit === 'month') return count
  return unit === 'year' ? count * 12 : null
}

function parseInterval(interval: string): { count: number; unit: string } {
  const [first = '', second] = interval.split(' ')
  return second ? { count: Number(first), unit: second } : { count: 1, unit: first }
}
