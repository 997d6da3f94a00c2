import type { UpcomingInvoice, UsageCost } from '@turnpike/contract'
import { fail } from '../core/errors.ts'
import { isBefore } from '../core/period.ts'
import { findCustomer } from '../modules/customers/index.ts'
import type { InvoicePreview } from '../modules/payments/index.ts'
import { type ChargeLine, creditLines, findLines, wordsOf } from '../modules/periods/index.ts'
import { findSubscriptions, isTerminal } from '../modules/subscriptions/index.ts'
import { readInOneView } from '../platform/db.ts'
import type { Deps } from './deps.ts'
import { afterDiscounts, discountsOnUsage } from './steps/after-discounts.ts'
import { burnSoFar, type PeriodCost } from './steps/burn-credits.ts'
import { calculatedView } from './steps/calculated-view.ts'
import { rateSoFar, type SoFar } from './steps/rate-so-far.ts'

const sum = (lines: readonly { amountMinor: bigint }[]): bigint =>
  lines.reduce((total, { amountMinor }) => total + amountMinor, 0n)

/** What usage has cost so far, by the rule that the close will use, from counters as they stand (INV-5). */
export const readUsageCost = (deps: Deps, tenantId: string): Promise<UsageCost> =>
  readInOneView(deps.db, async (tx) => {
    if (!(await findCustomer(tx, tenantId))) throw fail('not_found')
    const running = (await rateSoFar(tx, deps, tenantId)).at(-1)
    const asOf = deps.clock.now().toString()
    if (!running) return { tenantId, subscriptionId: null, period: null, charges: [], total: null, waiting: null, asOf }
    const { period, subscription, currency, lines } = running
    const waiting = await unplaced(tx, tenantId, subscription.subscriptionId)
    const money = (amountMinor: bigint) => ({ amountMinor: String(amountMinor), currency })
    return {
      tenantId,
      subscriptionId: subscription.subscriptionId,
      period: { start: period.period.start.toString(), end: period.period.end.toString() },
      charges: lines.map((line) => calculatedView(deps.catalog(), tenantId, line)),
      total: money(sum(lines)),
      waiting: money(sum(waiting)),
      asOf,
    }
  })

const unplaced = (on: Parameters<typeof findLines>[0], tenantId: string, subscriptionId: string) =>
  findLines(on, tenantId, { unplacedOf: subscriptionId })

/**
 * The next invoice as it would be now (INV-5): what the provider bills by itself, lines that are rated and not on an invoice
 * yet, usage so far, and the credit that would pay for it. The provider is asked with our lines, so that coupons and tax are
 * of all of them.
 */
export const readUpcomingInvoice = async (deps: Deps, tenantId: string): Promise<UpcomingInvoice> => {
  if (!(await findCustomer(deps.db, tenantId))) throw fail('not_found')
  const asOf = deps.clock.now().toString()
  const { soFar, burnt } = await readInOneView(deps.db, async (tx) => {
    const soFar = await rateSoFar(tx, deps, tenantId)
    return {
      soFar,
      burnt: await burnSoFar(
        tx,
        tenantId,
        soFar.map((each) => costOf(deps, each)),
      ),
    }
  })
  const subscription =
    soFar.at(-1)?.subscription ??
    (await findSubscriptions(deps.db, tenantId)).find(({ status }) => !isTerminal(status)) ??
    null
  if (!subscription || isTerminal(subscription.status)) return { tenantId, invoice: null, asOf }
  const { subscriptionId, providerSubscriptionId, currency, endsAt } = subscription
  const rated = await unplaced(deps.db, tenantId, subscriptionId)
  const onIt = soFar.filter((each) => each.subscription.subscriptionId === subscriptionId)
  const running = onIt.at(-1)?.period.period.end ?? subscription.period.end
  const ours = [
    ...rated.map((line) => ({ ...line, origin: 'rated' as const })),
    ...onIt.flatMap(({ lines }) => lines.map((line) => ({ ...line, origin: 'usage_so_far' as const }))),
    ...onIt.flatMap(({ period, lines }) =>
      creditLines(period, burnt.get(period.periodId) ?? [], lines, 0).map((line) => ({
        ...line,
        origin: 'credit' as const,
      })),
    ),
  ]
  // Months of a longer period, and what is left when a subscription ends, are billed by themselves.
  const isRenewal = running.equals(subscription.period.end)
  const isTogether = isRenewal && (endsAt === null || isBefore(running, endsAt))
  const placeable = ours.flatMap((line) =>
    isTogether && line.amountMinor !== 0n ? [{ ...line, description: wordsOf(line) }] : [],
  )
  const theirs = isRenewal
    ? await deps.provider.placing.previewRenewal(providerSubscriptionId, currency, placeable)
    : null
  const lines = [
    ...(theirs?.lines ?? []).map((line) => providerLine(line, currency)),
    ...ours.map((line) => ourLine(line.origin, line)),
  ]
  if (lines.length === 0) return { tenantId, invoice: null, asOf }
  // What the provider was told of is in its total.
  const total = (theirs?.total ?? 0n) + (theirs && isTogether ? 0n : sum(ours))
  return {
    tenantId,
    invoice: {
      subscriptionId,
      at: running.toString(),
      lines,
      discount: { amountMinor: String(theirs?.discount ?? 0n), currency },
      tax: theirs?.tax == null ? null : { amountMinor: String(theirs.tax), currency },
      total: { amountMinor: String(total), currency },
    },
    asOf,
  }
}

/** What the close would ask of credit for a period: all that it has come to until now. */
const costOf = (
  { catalog }: Pick<Deps, 'catalog'>,
  { period, subscription, currency, lines, settings }: SoFar,
): PeriodCost => ({
  tenantId: period.tenantId,
  periodId: period.periodId,
  round: 0,
  currency,
  at: period.period.end,
  isAgain: false,
  amounts: afterDiscounts(lines, discountsOnUsage(catalog(), subscription, period.period.end)),
  settings,
})

type UpcomingLine = NonNullable<UpcomingInvoice['invoice']>['lines'][number]

const providerLine = (line: InvoicePreview['lines'][number], currency: string): UpcomingLine => ({
  origin: 'provider',
  description: line.description,
  quantity: line.quantity === null ? null : String(line.quantity),
  amount: { amountMinor: String(line.amount), currency },
  period: { start: line.period.start.toString(), end: line.period.end.toString() },
})

const ourLine = (
  origin: UpcomingLine['origin'],
  line: Pick<ChargeLine, 'name' | 'kind' | 'quantity' | 'amountMinor' | 'currency' | 'period'>,
): UpcomingLine => ({
  origin,
  description: wordsOf(line),
  quantity: line.quantity,
  amount: { amountMinor: String(line.amountMinor), currency: line.currency },
  period: { start: line.period.start.toString(), end: line.period.end.toString() },
})
