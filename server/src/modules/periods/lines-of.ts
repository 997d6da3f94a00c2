import type { RatingPreview } from '@turnpike/contract'
import { idFor } from '../../core/ids.ts'
import type { Period } from '../../core/period.ts'
import { differenceOf } from '../rating/index.ts'
import type { NewLine } from './store.ts'
import type { ChargeLine, Placing, UsagePeriod } from './usage-period.ts'

type Rated = Pick<RatingPreview, 'lines' | 'adjustments'>
type Made = Omit<
  ChargeLine,
  'placingId' | 'creditNoteId' | 'createdAt' | 'placedAt' | 'providerInvoiceId' | 'providerItemId'
>
/** What was charged for a period before: the sums of its lines by charge. */
export type Billed = Pick<ChargeLine, 'charge' | 'amountMinor' | 'quantity'>

/**
 * The lines that make what was charged for a period what it should be (USE-5, INV-6). At first these are the lines of the
 * rating. Later they are the differences to it: what came late pays what it makes of the whole, however the price is built,
 * and what was taken back is given back. Nothing where nothing differs, so a repeat makes no line twice. Pure.
 */
export const linesOf = (
  period: Pick<UsagePeriod, 'tenantId' | 'periodId' | 'subscriptionId' | 'period' | 'state'>,
  rated: Rated,
  currency: string,
  billed: readonly Billed[],
): Made[] => {
  const isFirst = period.state === 'open'
  const wanted = wantedLines(rated)
  const before = Map.groupBy(billed, ({ charge }) => charge)
  const charges = [...new Set([...wanted.keys(), ...before.keys()])]
  return charges.flatMap((charge, index): Made[] => {
    const earlier = before.get(charge) ?? []
    const view = wanted.get(charge) ?? nothingOf(period.period, charge)
    const billedMinor = earlier.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)
    const amountMinor = BigInt(view.amount.amountMinor) - billedMinor
    // A line of nothing says what was used within what is included; nobody needs to hear of nothing.
    if (amountMinor === 0n && (!isFirst || view.quantity === '0')) return []
    return [
      {
        tenantId: period.tenantId,
        lineId: idFor('line', `${period.periodId} ${charge} ${earlier.length}`),
        periodId: period.periodId,
        subscriptionId: period.subscriptionId,
        ordinal: billed.length + index,
        charge,
        name: view.name,
        kind: isFirst ? view.kind : 'late_usage',
        quantity: differenceOf(
          view.quantity,
          earlier.map((line) => line.quantity),
        ),
        amountMinor,
        currency,
        exactAmount: earlier.length === 0 ? view.exactAmount : differenceOf(view.exactAmount, [String(billedMinor)]),
        period: { start: Temporal.Instant.from(view.period.start), end: Temporal.Instant.from(view.period.end) },
        calculation:
          earlier.length === 0
            ? view.calculation
            : [...view.calculation, billedBefore(view, earlier.length, billedMinor)],
        source: view.source,
      },
    ]
  })
}

/**
 * What credit pays for a period, one line for each grant: below zero what it paid, above what went back. `round` counts how
 * many lines were charged before, so that each rating has lines of its own.
 */
export const creditLines = (
  period: Pick<UsagePeriod, 'tenantId' | 'periodId' | 'subscriptionId' | 'period'>,
  changes: readonly [grantId: string, burntMinor: bigint][],
  made: readonly Made[],
  round: number,
): Made[] =>
  changes.map(([grantId, burntMinor], index) => ({
    tenantId: period.tenantId,
    lineId: idFor('line', `${period.periodId} +credit ${grantId} ${round}`),
    periodId: period.periodId,
    subscriptionId: period.subscriptionId,
    // Behind everything that is charged, also what is charged later.
    ordinal: 10_000 + 100 * round + index,
    charge: `+credit:${grantId}`,
    name: burntMinor > 0n ? 'Paid with credit' : 'Credit given back',
    kind: 'credit',
    quantity: '1',
    amountMinor: -burntMinor,
    currency: made[0]!.currency,
    exactAmount: String(-burntMinor),
    period: period.period,
    calculation: [],
    source: null,
  }))

/**
 * What of a placing's lines is no multiple of what the provider can collect (convention 18): taken off them, and waiting for the
 * next invoice. Two lines that are nothing together, so that the period costs what it did.
 */
export const restLines = (
  { placingId }: Pick<Placing, 'placingId'>,
  providerInvoiceId: string,
  line: ChargeLine,
  restMinor: bigint,
  createdAt: Temporal.Instant,
): NewLine[] =>
  [-restMinor, restMinor].map((amountMinor, index) => ({
    tenantId: line.tenantId,
    lineId: idFor('line', `${placingId} ${providerInvoiceId} rest ${index}`),
    periodId: line.periodId,
    subscriptionId: line.subscriptionId,
    placingId: index === 0 ? placingId : null,
    creditNoteId: null,
    // Behind everything else of the period.
    ordinal: 1_000_000 + index,
    charge: '+rest',
    name: index === 0 ? 'Too little to collect, goes with the next invoice' : 'Left over from the invoice before',
    kind: 'rest',
    quantity: '1',
    amountMinor,
    currency: line.currency,
    exactAmount: String(amountMinor),
    period: line.period,
    calculation: [],
    source: null,
    createdAt,
  }))

const billedBefore = (view: View, lines: number, billedMinor: bigint): ChargeLine['calculation'][number] => ({
  kind: 'already_billed',
  text: `Billed before, in ${lines === 1 ? 'one line' : `${lines} lines`}`,
  tier: null,
  quantity: '1',
  unitAmount: String(-billedMinor),
  share: null,
  roundedUnitAmount: null,
  amount: String(-billedMinor),
  period: view.period,
})

type View = Omit<RatingPreview['lines'][number], 'kind' | 'charge' | 'rounding' | 'net'> & { kind: ChargeLine['kind'] }

/** Lines, and what a maximum takes off them, by charge. */
const wantedLines = ({ lines, adjustments }: Rated): Map<string, View> => {
  // What belongs to no charge is kept under its kind.
  const wanted = new Map<string, View>(lines.map((line) => [line.charge ?? `+${line.kind}`, line]))
  for (const { kind, text, amount } of adjustments)
    if (kind === 'maximum')
      wanted.set('+maximum', {
        kind,
        name: text,
        period: lines[0]!.period,
        quantity: '1',
        amount,
        exactAmount: amount.amountMinor,
        calculation: [],
        source: null,
      })
  return wanted
}

/** A charge that is not rated any more, because the terms of its time turned out to be others. */
const nothingOf = ({ start, end }: Period, charge: string): View => ({
  kind: 'late_usage',
  name: charge,
  period: { start: start.toString(), end: end.toString() },
  quantity: '0',
  amount: { amountMinor: '0', currency: '' },
  exactAmount: '0',
  calculation: [],
  source: null,
})
