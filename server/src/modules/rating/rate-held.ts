import type { Period } from '../../core/period.ts'
import { boundStep } from './bound-step.ts'
import { describe } from './describe.ts'
import { type Exact, isZero, one, sumOf } from './exact.ts'
import type { ExactLine, LineKind } from './line.ts'
import type { Charge, Price, RatingInput } from './price.ts'
import { priceSteps } from './price-steps.ts'
import { shareOf } from './prorate.ts'
import type { Step } from './step.ts'
import { periodOf, type Segment, segmentsOf } from './timeline.ts'

/** The lines of one charge for what is held: by parts of the period, or credits and charges for a period paid in advance. */
export const rateHeld = (input: RatingInput, charge: Charge): ExactLine[] => {
  const { settings, period } = input
  const segments = segmentsOf(input, charge)
  const first = segments[0]
  if (!first) return []
  if (charge.price.model === 'one_time') {
    const steps = heldSteps(input, charge, first, one, newFlatParts())
    return [heldLine(charge, 'one_time', periodOf(first), first, steps)]
  }
  if (settings.proration.style === 'credit_and_charge') return rateChanges(input, charge, segments)
  // Without proration what stood at the beginning pays the whole: what took its place in mid-period begins with the next.
  if (settings.proration.basis === 'none' && first.from.is === 'new_begins') return []
  const parts = settings.proration.basis === 'none' ? [first] : segments
  const shares = parts.map((segment) => {
    if (settings.proration.basis === 'none') return one
    const staysWhole = segment.to.is === 'end' && settings.proration.atEnd === 'whole'
    return shareOf(input, segment.from, staysWhole ? { at: period.end, is: 'period' } : segment.to)
  })
  const flats = newFlatParts()
  const steps = parts.flatMap((segment, index) => heldSteps(input, charge, segment, shares[index]!, flats))
  const last = parts.at(-1)!
  const window = { start: first.from.at, end: segments.at(-1)!.to.at }
  const share = last.price.prorateBounds ? sumOf(shares) : one
  return [
    heldLine(charge, 'recurring', window, last, [...steps, ...boundStep(input, last.price, steps, share, window)]),
  ]
}

/** Each change gives back the rest of the old and charges the rest of the new, each a line that is rounded by itself. */
const rateChanges = (input: RatingInput, charge: Charge, segments: readonly Segment[]): ExactLine[] => {
  const { settings, period } = input
  const end = { at: period.end, is: 'period' } as const
  const flats = newFlatParts()
  const rest = (
    segment: Segment,
    edge: Segment['from'],
    kind: 'proration_charge' | 'proration_credit',
  ): ExactLine[] => {
    const isPart = settings.proration.basis !== 'none'
    if (!isPart && edge.is !== 'start') return []
    const share = isPart ? shareOf(input, edge, end) : one
    if (isZero(share)) return []
    const steps = heldSteps(input, charge, segment, share, flats, kind === 'proration_credit' ? 'credit' : undefined)
    return [heldLine(charge, kind, { start: edge.at, end: period.end }, segment, steps)]
  }
  return segments.flatMap((segment) => {
    const isPaid = segment.from.is === 'period'
    // Paid in full in advance, its flat parts are not due again.
    if (isPaid) heldSteps(input, charge, segment, one, flats)
    const isKept = segment.to.is === 'period' || (segment.to.is === 'end' && settings.proration.atEnd === 'whole')
    return [
      ...(isPaid ? [] : rest(segment, segment.from, 'proration_charge')),
      ...(isKept ? [] : rest(segment, segment.to, 'proration_credit')),
    ]
  })
}

/** The flat parts of tiers that were due in full already, by the price that they belong to. */
type FlatParts = Map<Price, Set<number>>
const newFlatParts = (): FlatParts => new Map()

const heldSteps = (
  input: RatingInput,
  charge: Charge,
  { from, to, price, quantity }: Segment,
  share: Exact,
  flats: FlatParts,
  takenOff?: 'credit',
): Step[] => {
  const free = charge.included && { quantity: charge.included.quantity, mode: charge.included.mode }
  const context = { period: { start: from.at, end: to.at }, settings: input.settings, takenOff }
  const raw = priceSteps(price, { quantity: quantity ?? one, transactions: null, records: null }, free, null)
  if (!('flatProrated' in price) || price.flatProrated) return raw.map((step) => describe(step, { ...context, share }))
  const due = flats.get(price) ?? new Set()
  flats.set(price, due)
  return raw.flatMap((step) => {
    if (step.kind !== 'flat') return [describe(step, { ...context, share })]
    // Convention 1: due once for each tier that is reached, in full. What is due in full is not given back.
    if (takenOff || isZero(share) || due.has(step.tier!)) return []
    due.add(step.tier!)
    return [describe(step, { ...context, share: one })]
  })
}

const heldLine = (charge: Charge, kind: LineKind, period: Period, { quantity }: Segment, steps: Step[]): ExactLine => ({
  charge: charge.key,
  name: charge.name,
  kind,
  period,
  quantity: quantity ?? one,
  exact: sumOf(steps.map(({ amount }) => amount)),
  steps,
  source: null,
})
