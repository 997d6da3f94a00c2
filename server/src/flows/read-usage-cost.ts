import type { UpcomingInvoice, UsageCost } from '@turnpike/contract'
import { fail } from '../core/errors.ts'
import { findCustomer } from '../modules/customers/index.ts'
import type { InvoicePreview } from '../modules/payments/index.ts'
import { type ChargeLine, findLines, wordsOf } from '../modules/periods/index.ts'
import { findSubscriptions, isTerminal } from '../modules/subscriptions/index.ts'
import { readInOneView } from '../platform/db.ts'
import type { Deps } from './deps.ts'
import { calculatedView } from './steps/calculated-view.ts'
import { rateSoFar } from './steps/rate-so-far.ts'

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
 * The next invoice as it would be now (INV-5): the provider's own preview of what it bills by itself, lines that are rated
 * and not on an invoice yet, and usage so far.
 */
export const readUpcomingInvoice = async (deps: Deps, tenantId: string): Promise<UpcomingInvoice> => {
  if (!(await findCustomer(deps.db, tenantId))) throw fail('not_found')
  const asOf = deps.clock.now().toString()
  const soFar = await readInOneView(deps.db, (tx) => rateSoFar(tx, deps, tenantId))
  const subscription =
    soFar.at(-1)?.subscription ??
    (await findSubscriptions(deps.db, tenantId)).find(({ status }) => !isTerminal(status)) ??
    null
  if (!subscription || isTerminal(subscription.status)) return { tenantId, invoice: null, asOf }
  const { subscriptionId, providerSubscriptionId, currency } = subscription
  const theirs = await deps.provider.placing.previewRenewal(providerSubscriptionId)
  const rated = await unplaced(deps.db, tenantId, subscriptionId)
  // Months of a longer period are billed by themselves: only what the renewal comes with is on its invoice.
  const onIt = soFar.filter((each) => each.subscription.subscriptionId === subscriptionId)
  const running = onIt.at(-1)?.period.period.end ?? subscription.period.end
  const lines = [
    ...(running.equals(subscription.period.end)
      ? (theirs?.lines ?? []).map((line) => providerLine(line, currency))
      : []),
    ...rated.map((line) => ourLine('rated', line)),
    ...onIt.flatMap((each) => each.lines.map((line) => ourLine('usage_so_far', line))),
  ]
  const withProvider = running.equals(subscription.period.end) ? theirs : null
  if (lines.length === 0) return { tenantId, invoice: null, asOf }
  const total = (withProvider?.total ?? 0n) + sum(rated) + onIt.reduce((all, each) => all + sum(each.lines), 0n)
  return {
    tenantId,
    invoice: {
      subscriptionId,
      at: running.toString(),
      lines,
      tax: withProvider?.tax == null ? null : { amountMinor: String(withProvider.tax), currency },
      total: { amountMinor: String(total), currency },
    },
    asOf,
  }
}

type UpcomingLine = NonNullable<UpcomingInvoice['invoice']>['lines'][number]

const providerLine = (line: InvoicePreview['lines'][number], currency: string): UpcomingLine => ({
  origin: 'provider',
  description: line.description,
  quantity: line.quantity === null ? null : String(line.quantity),
  amount: { amountMinor: String(line.amount), currency },
  period: { start: line.period.start.toString(), end: line.period.end.toString() },
})

const ourLine = (
  origin: 'usage_so_far' | 'rated',
  line: Pick<ChargeLine, 'name' | 'kind' | 'quantity' | 'amountMinor' | 'currency' | 'period'>,
): UpcomingLine => ({
  origin,
  description: wordsOf(line),
  quantity: line.quantity,
  amount: { amountMinor: String(line.amountMinor), currency: line.currency },
  period: { start: line.period.start.toString(), end: line.period.end.toString() },
})
