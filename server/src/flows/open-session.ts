import type { Session, SessionCreate } from '@turnpike/contract'
import { Failure, fail } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import { findCommandUnderWay } from '../modules/commands/index.ts'
import { type CustomerRecord, findCustomer, lockCustomer } from '../modules/customers/index.ts'
import {
  type CheckoutRecord,
  canStillBePaid,
  findProviderCustomer,
  findUnfinishedCheckouts,
  insertCheckout,
  isUnderWay,
  nextCheckoutState,
  saveCheckout,
} from '../modules/payments/index.ts'
import { findSubscriptions, leadingSubscription, type SubscriptionRecord } from '../modules/subscriptions/index.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import type { Deps } from './deps.ts'
import { askProvider, ensureProviderCustomer } from './steps/ask-provider.ts'
import { endCheckout } from './steps/end-checkout.ts'
import { portalOffer, refuseUnlessChangeable, type Selection, select } from './steps/selection.ts'
import { syncTenant } from './sync-customer.ts'

/**
 * Opens a hosted page (PAY-1): the intent is saved first, then the provider is asked with its id as idempotency key, then
 * the address is saved. A repeat of the same selection answers the same page; another selection is refused while one is
 * open, unless `replaceOpen` ends it. Nothing is bought here: only a validated fact completes an intent.
 */
export const openSession = async (
  deps: Deps,
  actor: Actor,
  tenantId: string,
  request: SessionCreate,
  endedBefore = false,
): Promise<Session> => {
  const customer = await findCustomer(deps.db, tenantId)
  if (!customer) throw fail('not_found')
  const urls = returnUrls(deps, request)
  if (request.kind === 'portal')
    return unlessDeleted(deps, actor, tenantId, () => openPortal(deps, actor, customer, urls.returnUrl))
  const selection = select(deps.catalog(), customer, request, deps.clock.now())
  const intent = await saveIntent(deps, actor, customer, selection, urls, request.replaceOpen ?? false)
  if (intent.kind === 'end_first') {
    // Once: a page that cannot be ended was paid, and then it is not ours to open another one over it.
    if (endedBefore) throw fail('checkout_open', { extra: { checkoutId: intent.checkouts[0]?.checkoutId } })
    await endOpenCheckouts(deps, actor, tenantId, intent.checkouts)
    return openSession(deps, actor, tenantId, { ...request, replaceOpen: false }, true)
  }
  const opened = await unlessDeleted(deps, actor, tenantId, () =>
    askUnlessUsedUp(deps, actor, customer, intent.checkout),
  )
  return sessionView(opened)
}

/** A coupon that the provider finds used up opens no page, and leaves none open. */
const askUnlessUsedUp = async (
  deps: Deps,
  actor: Actor,
  customer: CustomerRecord,
  checkout: CheckoutRecord,
): Promise<CheckoutRecord> => {
  try {
    return await askProvider(deps, actor, customer, checkout)
  } catch (error) {
    if (error instanceof Failure && error.code === 'coupon_not_usable')
      await endCheckout(deps, actor, checkout, { reason: 'the provider does not take the coupon' })
    throw error
  }
}

/** A refusal may mean that the customer was deleted at the provider and nobody told us: then another one is made. */
const unlessDeleted = async <T>(deps: Deps, actor: Actor, tenantId: string, ask: () => Promise<T>): Promise<T> => {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'provider_refused') throw error
    const before = await findProviderCustomer(deps.db, tenantId, deps.provider.name)
    await syncTenant(deps, tenantId, actor, { customer: true })
    const after = await findProviderCustomer(deps.db, tenantId, deps.provider.name)
    if (before === after) throw error
    return ask()
  }
}

const sessionView = (checkout: CheckoutRecord): Session => ({
  kind: checkout.kind,
  sessionUrl: checkout.sessionUrl!,
  checkoutId: checkout.checkoutId,
  expiresAt: checkout.expiresAt?.toString() ?? null,
})

/** Customers are only sent back to origins that the operator has named (PAY-1). */
const returnUrls = (deps: Deps, request: SessionCreate): { returnUrl: string; cancelUrl: string } => {
  const returnUrl = request.returnUrl ?? `${deps.publicUrl}/billing/return`
  const cancelUrl = request.cancelUrl ?? returnUrl
  for (const url of [returnUrl, cancelUrl]) {
    const parsed = URL.canParse(url) ? new URL(url) : null
    if (parsed?.username !== '' || parsed.password !== '' || !deps.returnOrigins.includes(parsed.origin))
      throw fail('return_url_not_allowed')
  }
  return { returnUrl, cancelUrl }
}

type Intent = { kind: 'go'; checkout: CheckoutRecord } | { kind: 'end_first'; checkouts: CheckoutRecord[] }

const saveIntent = (
  deps: Deps,
  actor: Actor,
  customer: CustomerRecord,
  selection: Selection,
  urls: { returnUrl: string; cancelUrl: string },
  replaceOpen: boolean,
): Promise<Intent> =>
  transact(deps.db, async (tx) => {
    if (!(await lockCustomer(tx, customer.tenantId))) throw fail('not_found')
    const at = deps.clock.now()
    const policy = deps.catalog().file.policies.access
    const held = leadingSubscription(await findSubscriptions(tx, customer.tenantId), policy)
    const buysPlan = selection.plan !== null
    if (buysPlan && held) refuseUnlessChangeable(deps.catalog(), held, selection)
    // One that is being made, and one that is paid on a page, would be two.
    const underWay = buysPlan ? await findCommandUnderWay(tx, customer.tenantId) : null
    if (underWay) throw fail('change_under_way', { extra: { commandId: underWay.commandId } })
    const unfinished = await findUnfinishedCheckouts(tx, customer.tenantId)
    const live = unfinished.filter((checkout) => canStillBePaid(checkout, at))
    const same = live.find(
      (checkout) =>
        checkout.selectionHash === selection.selectionHash &&
        checkout.returnUrl === urls.returnUrl &&
        checkout.cancelUrl === urls.cancelUrl &&
        checkout.kind === kindOf(selection, held),
    )
    const others = live.filter((checkout) => checkout !== same)
    const open = others.find((checkout) => isUnderWay(checkout.state))
    if (open && !replaceOpen)
      throw fail('checkout_open', { extra: { checkoutId: open.checkoutId, sessionUrl: open.sessionUrl } })
    // A page that the customer left could still be paid: it is ended before another one opens.
    if (others.length > 0) return { kind: 'end_first', checkouts: others }
    if (same) {
      if (same.state !== 'canceled') return { kind: 'go', checkout: same }
      const reopened = { ...same, state: nextCheckoutState(same.state, 'reopened'), returnedAt: null }
      await saveCheckout(tx, reopened)
      return { kind: 'go', checkout: reopened }
    }
    for (const ended of unfinished)
      await saveCheckout(tx, { ...ended, state: nextCheckoutState(ended.state, 'expired') })
    const checkout: CheckoutRecord = {
      ...selection,
      ...urls,
      tenantId: customer.tenantId,
      checkoutId: newId('checkout'),
      kind: kindOf(selection, held),
      state: 'opening',
      provider: deps.provider.name,
      providerSessionId: null,
      sessionUrl: null,
      openedBy: actor.id,
      openedAt: at,
      returnedAt: null,
      completedAt: null,
      expiresAt: null,
      failure: null,
    }
    await insertCheckout(tx, checkout)
    await appendAudit(tx, deps.clock, {
      tenantId: customer.tenantId,
      actor,
      action: 'checkout.open',
      object: checkout.checkoutId,
      after: {
        kind: checkout.kind,
        plan: checkout.plan,
        price: checkout.price,
        product: checkout.product,
        seats: checkout.seats,
      },
    })
    return { kind: 'go', checkout }
  })

const kindOf = (selection: Selection, held: SubscriptionRecord | null): CheckoutRecord['kind'] =>
  selection.product !== null ? 'purchase' : held ? 'plan_change' : 'checkout'

/** Ends pages at the provider. One that was paid meanwhile is applied instead, and then decides what is still possible. */
const endOpenCheckouts = async (
  deps: Deps,
  actor: Actor,
  tenantId: string,
  checkouts: readonly CheckoutRecord[],
): Promise<void> => {
  for (const checkout of checkouts) {
    const closed =
      checkout.providerSessionId === null || (await deps.provider.closeCheckout(checkout.providerSessionId))
    if (!closed) {
      await syncTenant(deps, tenantId, actor)
      continue
    }
    await endCheckout(deps, actor, checkout, { reason: 'replaced by another selection' })
  }
}

const openPortal = async (deps: Deps, actor: Actor, customer: CustomerRecord, returnUrl: string): Promise<Session> => {
  const providerCustomerId = await ensureProviderCustomer(deps, customer)
  // Each visit is its own page, so that an old link cannot be used for a new one.
  const visit = newId('checkout')
  const opened = await deps.provider.openPortal({
    checkoutId: visit,
    providerCustomerId,
    returnUrl,
    offer: portalOffer(deps.catalog()),
  })
  await transact(deps.db, (tx) =>
    appendAudit(tx, deps.clock, {
      tenantId: customer.tenantId,
      actor,
      action: 'portal.open',
      object: customer.customerId,
    }),
  )
  return { kind: 'portal', sessionUrl: opened.url, checkoutId: null, expiresAt: opened.expiresAt?.toString() ?? null }
}
