import { isBefore, type Period } from '../../core/period.ts'
import { boundStep } from './bound-step.ts'
import { describe } from './describe.ts'
import { type Exact, larger, minus, one, plus, smaller, sumOf, times, zero } from './exact.ts'
import type { ExactLine } from './line.ts'
import { type Meter, meterOf } from './measure-usage.ts'
import type { UsageCharge } from './need-usage.ts'
import type { Charge, RatingInput } from './price.ts'
import { type Free, pricedSteps, priceSteps } from './price-steps.ts'
import { shareOfPeriod } from './prorate.ts'
import type { RawStep, Step } from './step.ts'
import { measuredSegments, type Segment, segmentsOf } from './timeline.ts'
import { type AllowanceUse, useAllowance } from './use-allowance.ts'

export type RatedCharge = { lines: ExactLine[]; allowance: AllowanceUse | null }

/** The lines of one usage charge: one, or none when it does not live in this period. */
export const rateUsage = (input: RatingInput, charge: UsageCharge): RatedCharge => {
  const { basis } = charge
  const segments = measuredSegments(segmentsOf(input, charge), basis)
  if (segments.length === 0) return { lines: [], allowance: null }
  const window = { start: segments[0]!.from.at, end: segments.at(-1)!.to.at }
  const meter = meterOf(input, charge)
  const total = meter.over(window)
  const allowance = allowanceOf(input, charge, window, total.quantity)
  const free = freeOf(input, charge, window, allowance)
  const steps = segments.flatMap((segment) => segmentSteps(input, charge, segment, window, meter, free))
  const last = segments.at(-1)!.price
  const share = last.prorateBounds ? shareOfPeriod(input, window.start, window.end) : one
  // Convention 11: the whole and what was billed of it are bounded each by itself, as their invoices are.
  const isBilled = ({ kind }: Step) => basis.alreadyBilled !== null && kind === 'already_billed'
  const billed = steps.filter(isBilled)
  const current = steps.filter((step) => !isBilled(step))
  const counted = [
    ...steps,
    ...boundStep(input, last, current, share, window),
    ...(basis.alreadyBilled === null ? [] : boundStep(input, last, billed, share, window, 'already_billed')),
  ]
  // Where nothing is charged there is nothing to explain.
  const all = counted.some(({ kind }) => kind !== 'included') ? counted : []
  const source = {
    meter: basis.meter,
    window,
    filter: basis.filter,
    aggregation: basis.aggregation,
    records: total.records,
  }
  const kind = basis.alreadyBilled === null ? 'usage' : 'late_usage'
  const exact = sumOf(all.map(({ amount }) => amount))
  return {
    lines: [
      {
        charge: charge.key,
        name: charge.name,
        kind,
        period: window,
        quantity: total.quantity,
        exact,
        steps: all,
        source,
      },
    ],
    allowance,
  }
}

/** What included units still cover, used up over the parts of the period in the order of time. */
type FreeLeft = { mode: Free['mode']; left: Exact } | null

const segmentSteps = (
  input: RatingInput,
  charge: UsageCharge,
  { from, to, price }: Segment,
  window: Period,
  meter: Meter,
  free: FreeLeft,
): Step[] => {
  const { settings } = input
  const roundEach = settings.roundAt === 'unit' ? settings.rounding : null
  const part = { start: from.at, end: to.at }
  const now = free && { quantity: free.left, mode: free.mode }
  const described = (raw: readonly RawStep[], takenOff?: 'already_billed'): Step[] =>
    raw.map((step) => describe(step, { share: one, period: part, settings, takenOff }))
  if (charge.basis.bucket?.priced === 'per_bucket')
    return described(merged(meter.buckets(part).flatMap((measured) => pricedSteps(price, measured, now, roundEach))))
  const { alreadyBilled } = charge.basis
  // Convention 11: what comes late pays the difference that it makes to the whole.
  if (alreadyBilled !== null) {
    const before = { quantity: alreadyBilled, transactions: null, records: null }
    const whole = { ...before, quantity: plus(alreadyBilled, meter.over(part).quantity) }
    return [
      ...described(pricedSteps(price, whole, now, roundEach)),
      ...described(priceSteps(price, before, now, roundEach), 'already_billed'),
    ]
  }
  // Convention 6: when a price changes in mid-period, tiers and packages count anew or go on.
  if (settings.onSplit === 'cumulative' && isBefore(window.start, part.start)) {
    const until = (end: Temporal.Instant) => meter.over({ start: window.start, end })
    return [
      ...described(pricedSteps(price, until(part.end), now, roundEach)),
      ...described(priceSteps(price, until(part.start), now, roundEach), 'already_billed'),
    ]
  }
  const measured = meter.over(part)
  const steps = described(pricedSteps(price, measured, now, roundEach))
  if (free && settings.onSplit === 'anew')
    free.left = minus(free.left, smaller(free.left, larger(zero, measured.quantity)))
  return steps
}

/** Equal multiplications of many buckets as one: 744 hours make a handful of steps. */
const merged = (steps: readonly RawStep[]): RawStep[] => {
  const groups = Map.groupBy(steps, ({ kind, tier, unitAmount }) => `${kind} ${tier} ${unitAmount.n}/${unitAmount.d}`)
  return [...groups.values()].map((group) => ({ ...group[0]!, quantity: sumOf(group.map(({ quantity }) => quantity)) }))
}

const grantedIn = (input: RatingInput, { included }: Charge, window: Period): Exact => {
  if (included === null) return zero
  return included.prorated
    ? times(included.quantity, shareOfPeriod(input, window.start, window.end))
    : included.quantity
}

const allowanceOf = (input: RatingInput, charge: Charge, window: Period, quantity: Exact): AllowanceUse | null =>
  charge.included?.rollover
    ? useAllowance(grantedIn(input, charge, window), charge.included.rollover, larger(zero, quantity))
    : null

const freeOf = (input: RatingInput, charge: Charge, window: Period, allowance: AllowanceUse | null): FreeLeft =>
  charge.included && {
    mode: charge.included.mode,
    left: allowance?.available ?? grantedIn(input, charge, window),
  }
