import type { ExactLine } from './line.ts'
import type { AdjustmentKind, RatingInput } from './price.ts'
import { spread } from './spread.ts'

/** A line with its whole amount and what is left of it to pay, which adjustments lower. */
export type Line = ExactLine & { amountMinor: bigint; netMinor: bigint }
export type Adjustment = {
  kind: Exclude<AdjustmentKind, 'minimum'>
  key: string | null
  text: string
  amountMinor: bigint
  spread: { line: number; amountMinor: bigint }[]
}
export type Bill = {
  lines: Line[]
  adjustments: Adjustment[]
  taxMinor: bigint
  /** How much of it credits have paid. */
  taxPaidMinor: bigint
  credits: CreditUse[]
  coupons: CouponUse[]
}

export type CouponUse = {
  key: string
  takenMinor: bigint
  /** Of a fixed amount whose unused part is kept; else null. */
  leftMinor: bigint | null
  state: 'applied' | 'over' | 'not_yet'
}
export type CreditUse = {
  key: string
  burntMinor: bigint
  leftMinor: bigint
  /** The unused share of what was paid for it. */
  refundableMinor: bigint
  state: 'usable' | 'expired' | 'not_yet'
}

/**
 * Takes an amount off lines by the weight of what each still has to pay; gives what each lost. An amount below zero is taken off
 * lines below zero, by what each gives back.
 */
export const takeOff = (
  { lines }: { lines: Pick<Line, 'netMinor'>[] },
  from: readonly number[],
  amountMinor: bigint,
  input: Pick<RatingInput, 'settings'>,
): Adjustment['spread'] => {
  if (amountMinor === 0n) return []
  const sign = amountMinor < 0n ? -1n : 1n
  const has = from.map((index) => sign * lines[index]!.netMinor)
  return spread(sign * amountMinor, has, input.settings.remainder).flatMap((part, place) => {
    const line = from[place]!
    lines[line]!.netMinor -= sign * part
    return part === 0n ? [] : [{ line, amountMinor: -sign * part }]
  })
}

/** The lines with something left to pay, of these charges or of all. */
export const payable = (
  { lines }: { lines: readonly Pick<Line, 'netMinor' | 'charge'>[] },
  charges: readonly string[] | null,
): number[] => lines.flatMap((line, index) => (line.netMinor > 0n && isOf(line, charges) ? [index] : []))
/** The lines that give something back. */
export const givingBack = (
  { lines }: { lines: readonly Pick<Line, 'netMinor' | 'charge'>[] },
  charges: readonly string[] | null,
): number[] => lines.flatMap((line, index) => (line.netMinor < 0n && isOf(line, charges) ? [index] : []))
const isOf = ({ charge }: Pick<Line, 'charge'>, charges: readonly string[] | null): boolean =>
  charges === null || (charge !== null && charges.includes(charge))

export const netOf = ({ lines }: { lines: readonly Pick<Line, 'netMinor'>[] }, indexes: readonly number[]): bigint =>
  indexes.reduce((sum, index) => sum + lines[index]!.netMinor, 0n)

/** The least of amounts, and never below zero. */
export const least = (...amounts: readonly bigint[]): bigint => {
  const [smallest] = amounts.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  return smallest === undefined || smallest < 0n ? 0n : smallest
}
