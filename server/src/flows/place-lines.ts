import { assert, Failure, fail } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import { isBefore } from '../core/period.ts'
import { findPlan } from '../modules/catalog/index.ts'
import { lockCustomer } from '../modules/customers/index.ts'
import { findProviderCustomer } from '../modules/payments/index.ts'
import {
  type ChargeLine,
  findLines,
  findPlacing,
  insertLines,
  leavePlacing,
  markLinesPlaced,
  markPlaced,
  type Placing,
  restLines,
  savePlacing,
  takeDuePlacings,
  wordsOf,
} from '../modules/periods/index.ts'
import { collectable, readPlan, type Settings } from '../modules/rating/index.ts'
import { findSubscriptionById } from '../modules/subscriptions/index.ts'
import { type Actor, appendAudit, systemActor } from '../platform/audit.ts'
import { type Tx, transact } from '../platform/db.ts'
import { appendEvents } from '../platform/outbox.ts'
import { counter } from '../platform/telemetry.ts'
import type { Deps } from './deps.ts'
import { withoutDraft } from './steps/close-policy.ts'

/** Whoever takes a placing has so long for it; then it is anybody's again. */
const takenForSeconds = 60
const atOnce = 4
const pageSize = 8
/** A renewal whose invoice is not there by then has none. */
const waitForDraftHours = 6

const outcomes = counter('turnpike_placings', 'Attempts to bring lines to an invoice, by how they ended')

/**
 * Brings lines to the provider's invoices, each exactly once (INV-1). What is chosen is saved before it is asked for, and
 * everything is looked for before it is made: killed at any point, the next run goes on where this one was. Answers how
 * many placings it took; call again while that is not 0.
 */
export const placeLines = async (deps: Deps): Promise<number> => {
  if (deps.provider.availability().circuit === 'open') return 0
  const at = deps.clock.now()
  const due = await takeDuePlacings(deps.db, at, at.add({ seconds: takenForSeconds }), pageSize)
  const actor = systemActor('period close', newId('request'))
  for (let from = 0; from < due.length; from += atOnce)
    await Promise.all(due.slice(from, from + atOnce).map((placing) => tryPlacing(deps, actor, placing)))
  return due.length
}

const tryPlacing = async (deps: Deps, actor: Actor, placing: Placing): Promise<void> => {
  try {
    outcomes({ outcome: await place(deps, actor, placing) })
  } catch (error) {
    const failure = error instanceof Failure ? error.code : 'internal_error'
    outcomes({ outcome: failure })
    deps.log.warn({ err: error, placingId: placing.placingId }, 'lines could not be placed; they are tried again')
    // While the provider answers nobody, this placing is not to blame and keeps its turn.
    const away = deps.provider.availability().circuit !== 'closed' && failure === 'provider_unavailable'
    await change(deps, placing, async (tx, current) =>
      savePlacing(tx, {
        ...current,
        failure,
        dueAt: deps.clock.now().add({ seconds: away ? 5 : pauseSeconds(current.attempts) }),
      }),
    ).catch((saving: unknown) => deps.log.warn({ err: saving }, 'the failure of a placing could not be written down'))
  }
}

/** 15 seconds, then twice as long each time, up to ten minutes: a draft is open for an hour. */
const pauseSeconds = (attempts: number): number => Math.min(600, 15 * 2 ** Math.min(attempts - 1, 6))

const place = async (deps: Deps, actor: Actor, taken: Placing): Promise<string> => {
  const providerCustomerId = await findProviderCustomer(deps.db, taken.tenantId, deps.provider.name)
  if (providerCustomerId === null) throw fail('provider_refused')
  await noteClosed(deps, taken)
  const open = await linesToPlace(deps, taken)
  const chosen = open.lines.length === 0 ? taken : await chooseInvoice(deps, taken, providerCustomerId, open.lines)
  if (chosen === 'waits') return 'waits_for_draft'
  if (chosen === 'carried') return carry(deps, actor, taken)
  const providerInvoiceId = chosen.providerInvoiceId!
  // What cannot be collected was taken off with the choice.
  const { all, lines } = await linesToPlace(deps, chosen)
  const { kind, items } = await deps.provider.placing.placeLines({
    providerCustomerId,
    providerInvoiceId,
    currency: chosen.currency,
    lines: lines.map((line) => ({ ...line, description: wordsOf(line) })),
  })
  if (kind === 'closed') {
    // Between the look and the line it was finalized: what is on it stays there, the rest goes elsewhere.
    await change(deps, chosen, async (tx, current) => {
      await markLinesPlaced(tx, chosen.tenantId, providerInvoiceId, items, deps.clock.now())
      await savePlacing(tx, { ...current, failure: 'invoice_closed', dueAt: deps.clock.now() })
    })
    return 'closed_meanwhile'
  }
  if (chosen.own) await deps.provider.placing.finalizeInvoice(providerInvoiceId)
  await settle(deps, actor, chosen, all, items)
  return 'placed'
}

const linesToPlace = async ({ db }: Deps, { tenantId, placingId }: Placing) => {
  const all = await findLines(db, tenantId, { placingId })
  return { all, lines: all.filter(({ placedAt }) => placedAt === null) }
}

/** The chosen invoice was closed while nobody looked: what is on it already is found by its mark. */
const noteClosed = async (deps: Deps, placing: Placing): Promise<void> => {
  const { tenantId, providerInvoiceId } = placing
  if (providerInvoiceId === null) return
  const chosen = await deps.provider.placing.fetchTarget(providerInvoiceId)
  if (chosen?.status === 'draft') return
  const placed = (await deps.provider.placing.listPlaced(providerInvoiceId)) ?? new Map<string, never>()
  const items = new Map([...placed].map(([lineId, [first]]) => [lineId, first!.itemId]))
  await change(deps, placing, async (tx, current) => {
    await markLinesPlaced(tx, tenantId, providerInvoiceId, items, deps.clock.now())
    const isComplete = (await findLines(tx, tenantId, { placingId: placing.placingId })).every((line) => line.placedAt)
    if (!isComplete) await savePlacing(tx, { ...current, providerInvoiceId: null, own: false, renewalAt: null })
  })
}

/** The invoice for lines, saved before anything is put on it. */
const chooseInvoice = async (
  deps: Deps,
  taken: Placing,
  providerCustomerId: string,
  lines: readonly ChargeLine[],
): Promise<Placing | 'waits' | 'carried'> => {
  const { provider, clock } = deps
  const placing = (await findPlacing(deps.db, taken.tenantId, taken.placingId)) ?? taken
  const sum = lines.reduce((total, { amountMinor }) => total + amountMinor, 0n)
  if (placing.providerInvoiceId !== null) return placing
  // Its draft was closed before everything was on it.
  const isLate = placing.renewalAt === null && taken.renewalAt !== null
  if (placing.renewalAt !== null) {
    const draft = await provider.placing.findRenewalInvoice(placing.providerSubscriptionId, placing.renewalAt)
    if (draft?.status === 'draft') {
      const rest = sum % (await settingsOf(deps, placing)).chargeStepMinor
      // Credit makes an invoice smaller, never one that owes the customer.
      if (draft.totalMinor + sum < 0n || (sum !== 0n && rest === sum)) return 'carried'
      return choose(deps, placing, draft.providerInvoiceId, false, lines, rest)
    }
    if (draft === null && isBefore(clock.now(), placing.renewalAt.add({ hours: waitForDraftHours }))) {
      const dueAt = clock.now().add({ seconds: pauseSeconds(placing.attempts) })
      await change(deps, placing, (tx, current) => savePlacing(tx, { ...current, dueAt }))
      return 'waits'
    }
    if (draft !== null && withoutDraft(deps) === 'next_invoice') return 'carried'
  } else if (isLate && withoutDraft(deps) === 'next_invoice') return 'carried'
  return openOwn(deps, placing, providerCustomerId, lines, sum)
}

const openOwn = async (
  deps: Deps,
  placing: Placing,
  providerCustomerId: string,
  lines: readonly ChargeLine[],
  sum: bigint,
): Promise<Placing | 'carried'> => {
  // Convention 18: what is too little to be collected by itself waits for more.
  const due = collectable(sum, await settingsOf(deps, placing))
  if (due === 0n) return 'carried'
  const invoice = await deps.provider.placing.openInvoice({
    placingId: placing.placingId,
    since: placing.createdAt,
    providerCustomerId,
    providerSubscriptionId: placing.providerSubscriptionId,
    currency: placing.currency,
  })
  return choose(deps, placing, invoice.providerInvoiceId, true, lines, sum - due)
}

/** By the plan that the subscription is on now: an invoice may hold lines of several periods. */
const settingsOf = async ({ db, catalog }: Deps, { subscriptionId, currency }: Placing): Promise<Settings> => {
  const subscription = await findSubscriptionById(db, subscriptionId)
  assert(subscription, 'lines are of a subscription')
  const { file } = catalog()
  const version = findPlan(catalog(), subscription.plan, subscription.planVersion)
  assert(version, 'a plan version is kept as long as somebody was on it')
  return readPlan({ file, plan: version.content, currency }).settings
}

/** What cannot be collected is kept back in the same transaction: whoever comes by again finds it done. */
const choose = (
  deps: Deps,
  placing: Placing,
  providerInvoiceId: string,
  own: boolean,
  lines: readonly ChargeLine[],
  restMinor: bigint,
): Promise<Placing> =>
  change(deps, placing, async (tx, current) => {
    // Somebody else was faster.
    if (current.providerInvoiceId !== null) return current
    if (restMinor !== 0n)
      await insertLines(tx, restLines(placing, providerInvoiceId, lines.at(-1)!, restMinor, deps.clock.now()))
    const chosen = { ...current, providerInvoiceId, own }
    await savePlacing(tx, chosen)
    return chosen
  })

/** The lines wait for the next invoice of their subscription: nothing is lost. */
const carry = async (deps: Deps, actor: Actor, placing: Placing): Promise<string> => {
  await change(deps, placing, async (tx, current) => {
    if (current.state !== 'waiting') return
    await leavePlacing(tx, current)
    await savePlacing(tx, { ...current, state: 'carried', failure: null, settledAt: deps.clock.now() })
    await appendAudit(tx, deps.clock, {
      tenantId: current.tenantId,
      actor,
      action: 'charge_lines.carried',
      object: current.placingId,
      reason: 'they wait for the next invoice',
    })
  })
  return 'carried'
}

const settle = (
  deps: Deps,
  actor: Actor,
  placing: Placing,
  lines: readonly ChargeLine[],
  items: ReadonlyMap<string, string>,
): Promise<void> =>
  transact(deps.db, async (tx) => {
    const customer = await lockCustomer(tx, placing.tenantId)
    const current = await findPlacing(tx, placing.tenantId, placing.placingId)
    if (!customer || current?.state !== 'waiting') return
    const at = deps.clock.now()
    const providerInvoiceId = placing.providerInvoiceId!
    await markLinesPlaced(tx, placing.tenantId, providerInvoiceId, items, at)
    await savePlacing(tx, { ...current, state: 'placed', failure: null, settledAt: at })
    await markPlaced(tx, placing.tenantId, placing.placingId)
    const amount = {
      amountMinor: String(lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)),
      currency: placing.currency,
    }
    await appendAudit(tx, deps.clock, {
      tenantId: placing.tenantId,
      actor,
      action: 'charge_lines.placed',
      object: providerInvoiceId,
      after: { lines: lines.length, amountMinor: amount.amountMinor, currency: amount.currency, own: placing.own },
    })
    await appendEvents(tx, deps.clock, customer, actor.requestId, [
      {
        type: 'usage_period.placed',
        data: { subscriptionId: placing.subscriptionId, providerInvoiceId, lines: lines.length, amount },
      },
    ])
  })

/** Under the customer's lock, on the placing as it stands. */
const change = <T>(deps: Deps, placing: Placing, work: (tx: Tx, current: Placing) => Promise<T>): Promise<T> =>
  transact(deps.db, async (tx) => {
    await lockCustomer(tx, placing.tenantId)
    return work(tx, (await findPlacing(tx, placing.tenantId, placing.placingId)) ?? placing)
  })
