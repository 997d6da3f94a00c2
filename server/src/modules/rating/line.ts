import type { Period } from '../../core/period.ts'
import type { Exact } from './exact.ts'
import type { Source } from './price.ts'
import type { Step } from './step.ts'

export type LineKind =
  | 'usage'
  | 'recurring'
  | 'one_time'
  | 'proration_charge'
  | 'proration_credit'
  | 'late_usage'
  | 'minimum'
/** Enough to ask for the very records that a line was made of. */
type LineSource = {
  meter: string
  window: Period
  filter: Readonly<Record<string, string>>
  aggregation: Source['aggregation']
  records: number | null
}
export type ExactLine = {
  charge: string | null
  name: string
  kind: LineKind
  period: Period
  quantity: Exact
  exact: Exact
  steps: readonly Step[]
  source: LineSource | null
}
