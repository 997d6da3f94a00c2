import type { Period } from '../../core/period.ts'
import { type Exact, isZero, one } from './exact.ts'

/** One multiplication of a calculation, before time and rounding. */
export type RawStep = {
  kind: 'included' | 'units' | 'flat' | 'package' | 'percent' | 'fee' | 'bound'
  tier: number | null
  quantity: Exact
  unitAmount: Exact
}
/** As it stands in a line: what was multiplied, for which time, and what that gave. */
export type Step = {
  kind: RawStep['kind'] | 'already_billed'
  text: string
  tier: number | null
  quantity: Exact
  unitAmount: Exact
  share: Exact | null
  /** Where each unit price is rounded: what was multiplied instead. */
  roundedUnitAmount: Exact | null
  amount: Exact
  period: Period
}

export const units = (tier: number | null, quantity: Exact, unitAmount: Exact): RawStep[] => [
  { kind: 'units', tier, quantity, unitAmount },
]
/** A flat part of nothing is not worth a step. */
export const flat = (tier: number | null, amount: Exact): RawStep[] =>
  isZero(amount) ? [] : [{ kind: 'flat', tier, quantity: one, unitAmount: amount }]
