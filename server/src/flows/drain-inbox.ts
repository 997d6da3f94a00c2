import { Failure } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import type { Actor } from '../platform/audit.ts'
import { isConnectionLoss, type Tx } from '../platform/db.ts'
import {
  dueCustomers,
  dueWebhooks,
  finishWebhooks,
  holdWebhooks,
  type InboxRow,
  postponeWebhooks,
} from '../platform/inbox.ts'
import { counter } from '../platform/telemetry.ts'
import type { Applied } from './apply-provider-facts.ts'
import type { Deps } from './deps.ts'
import { findOrLinkTenant } from './link-customer.ts'
import { type LeftOut, type SyncOutcome, type SyncWish, syncProviderCustomer } from './sync-customer.ts'

const customersAtOnce = 8
const webhooksAtOnce = 200

const worked = counter('turnpike_webhooks_worked', 'Webhooks worked on, by how it ended')

/**
 * Works on what is due in the inbox: all of one customer's events together, in one hand, against objects fetched again
 * (WEB-3). Answers how many customers had something; call again while that is not 0. While the provider does not answer,
 * everything stays where it is.
 */
export const drainInbox = async (deps: Deps): Promise<number> => {
  if (deps.provider.availability().circuit === 'open') return 0
  const customers = (await dueCustomers(deps.db, deps.clock.now(), customersAtOnce * 4)).filter(
    (customer) => customer.provider === deps.provider.name,
  )
  for (let from = 0; from < customers.length; from += customersAtOnce) {
    if (deps.provider.availability().circuit === 'open') return 0
    await Promise.all(
      customers.slice(from, from + customersAtOnce).map((customer) => drainCustomer(deps, customer.providerCustomerId)),
    )
  }
  return customers.length
}

/** What became of webhooks whose facts were applied, as operators read it. */
const outcomeOf = ({ changed, stale }: Applied): string => (changed ? 'changed' : stale > 0 ? 'stale' : 'nothing_new')

const drainCustomer = async (deps: Deps, providerCustomerId: string): Promise<void> => {
  const webhooks = await dueWebhooks(deps.db, deps.provider.name, providerCustomerId, deps.clock.now(), webhooksAtOnce)
  if (webhooks.length === 0) return
  const error = await lookAt(deps, providerCustomerId, webhooks)
  if (error === null) return
  // Something in these events breaks the applying of all of them: each object for itself then, so that only the bad one waits.
  const groups = Map.groupBy(webhooks, (webhook) => webhook.objectId)
  if (groups.size === 1) return putOff(deps, webhooks, error)
  for (const group of groups.values()) {
    const itsError = await lookAt(deps, providerCustomerId, group)
    if (itsError !== null) await putOff(deps, group, itsError)
  }
}

/** One look for some events of one customer; null once each has its outcome, else what is wrong with them. */
const lookAt = async (
  deps: Deps,
  providerCustomerId: string,
  webhooks: readonly InboxRow[],
): Promise<string | null> => {
  const correlationId = webhooks[0]!.traceId ?? newId('request')
  const actor: Actor = { kind: 'provider', id: deps.provider.name, requestId: correlationId }
  const at = () => deps.clock.now()
  try {
    const tenantId = await findOrLinkTenant(deps, providerCustomerId, actor)
    const finish = (tx: Tx, rows: readonly InboxRow[], state: 'applied' | 'ignored', outcome: string) => {
      if (rows.length === 0) return
      worked({ outcome }, rows.length)
      return finishWebhooks(tx, idsOf(rows), { state, outcome, tenantId, correlationId, at: at() })
    }
    const settle = async (tx: Tx, outcome: SyncOutcome): Promise<void> => {
      if (outcome.kind !== 'applied') return finish(tx, webhooks, 'ignored', 'unknown_customer')
      const sorted = sortOut(webhooks, outcome.leftOut)
      await finish(tx, sorted.applied, 'applied', outcomeOf(outcome.applied))
      for (const [reason, rows] of sorted.ignored) await finish(tx, rows, 'ignored', reason)
      for (const [reason, rows] of sorted.failed) await putOff(deps, rows, reason, tx)
    }
    const outcome = await syncProviderCustomer(deps, providerCustomerId, tenantId, wishOf(webhooks), actor, settle)
    // Whoever has the lease now looks at a newer state; these come to their turn again.
    if (outcome.kind === 'overtaken') await holdWebhooks(deps.db, idsOf(webhooks), 'look_overtaken', at())
    return null
  } catch (error) {
    const name = errorName(error)
    deps.log.warn(
      { err: error, providerCustomerId, correlationId },
      'webhooks could not be applied; they are tried again',
    )
    if (!isNobodysFault(error)) return name
    await holdWebhooks(deps.db, idsOf(webhooks), name, at())
    worked({ outcome: 'held' }, webhooks.length)
    return null
  }
}

/** Which of the events were about an object that was left out of the look. */
const sortOut = (webhooks: readonly InboxRow[], leftOut: ReadonlyMap<string, LeftOut>) => {
  const applied: InboxRow[] = []
  const ignored = new Map<string, InboxRow[]>()
  const failed = new Map<string, InboxRow[]>()
  const add = (to: Map<string, InboxRow[]>, reason: string, row: InboxRow) =>
    to.set(reason, [...(to.get(reason) ?? []), row])
  for (const webhook of webhooks) {
    const left = webhook.objectId === null ? undefined : leftOut.get(webhook.objectId)
    if (!left) applied.push(webhook)
    else if ('failed' in left) add(failed, left.failed, webhook)
    else add(ignored, left.ignored, webhook)
  }
  return { applied, ignored, failed }
}

/** Puts off what failed by itself. While the provider answers nobody, it is not to blame and only waits. */
const putOff = async (deps: Deps, webhooks: readonly InboxRow[], error: string, tx?: Tx): Promise<void> => {
  const away = deps.provider.availability().circuit !== 'closed' && error === 'provider_unavailable'
  const rows = await (away ? holdWebhooks : postponeWebhooks)(tx ?? deps.db, idsOf(webhooks), error, deps.clock.now())
  worked({ outcome: away ? 'held' : 'failed' }, rows.length)
  const dead = rows.filter((row) => row.state === 'dead')
  if (dead.length === 0) return
  worked({ outcome: 'dead' }, dead.length)
  deps.log.error({ webhooks: dead.map((row) => String(row.webhookId)), error }, 'webhooks are dead letters now')
}

const idsOf = (rows: readonly InboxRow[]): bigint[] => rows.map((row) => row.webhookId)

/** The provider as a whole, the database or the catalog: no event is to blame, so none loses an attempt. */
const isNobodysFault = (error: unknown): boolean =>
  isConnectionLoss(error) ||
  (error instanceof Failure &&
    ['provider_unavailable', 'provider_refused', 'unavailable', 'catalog_missing'].includes(error.code))

// What operators may read: our own code of the failure, never the provider's or the database's words.
const errorName = (error: unknown): string =>
  error instanceof Failure ? error.code : isConnectionLoss(error) ? 'unavailable' : 'internal_error'

const wishOf = (webhooks: readonly InboxRow[]): SyncWish => ({
  providerInvoiceIds: webhooks.flatMap((webhook) =>
    webhook.type.startsWith('invoice.') && webhook.objectId?.startsWith('in_') ? [webhook.objectId] : [],
  ),
  providerSessionIds: webhooks.flatMap((webhook) =>
    webhook.type.startsWith('checkout.session.') && webhook.objectId ? [webhook.objectId] : [],
  ),
  customer: webhooks.some((webhook) => webhook.type === 'customer.deleted'),
  moneyBack: {
    providerIds: webhooks.flatMap(({ type, objectId }) =>
      objectId !== null && /^(credit_note|refund)\.|^charge\.refund/.test(type) ? [objectId] : [],
    ),
    ofInvoices: [],
  },
  methods: webhooks.some(({ type }) => type.startsWith('payment_method.') || type === 'customer.updated'),
})
