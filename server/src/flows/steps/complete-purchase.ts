import { assert } from '../../core/errors.ts'
import { idFor } from '../../core/ids.ts'
import { findProduct } from '../../modules/catalog/index.ts'
import { type GrantRecord, insertGrant } from '../../modules/ledger/index.ts'
import { type CheckoutFact, type CheckoutRecord, insertPurchase } from '../../modules/payments/index.ts'
import { type Actor, appendAudit } from '../../platform/audit.ts'
import type { Tx } from '../../platform/db.ts'
import type { NewEvent } from '../../platform/outbox.ts'
import type { Deps } from '../deps.ts'
import { creditView, purchaseView } from './credit-views.ts'
import { giveCredit } from './give-credit.ts'

/**
 * What a paid purchase brings (INV-3): its row, and the credit of its product. Called once, in the transaction that
 * completes the checkout with a fetched fact; the checkout's id makes the ids of both, so that nothing can be given twice.
 */
export const completePurchase = async (
  tx: Tx,
  deps: Pick<Deps, 'clock' | 'catalog'>,
  checkout: CheckoutRecord,
  fact: CheckoutFact,
  actor: Actor,
): Promise<NewEvent[]> => {
  assert(checkout.product !== null, 'a purchase is of a product')
  const at = deps.clock.now()
  const name = findProduct(deps.catalog(), checkout.product)?.name ?? checkout.product
  const grant = creditOf(checkout, name, fact.amountMinor, at)
  const purchase = {
    tenantId: checkout.tenantId,
    purchaseId: idFor('purchase', checkout.checkoutId),
    checkoutId: checkout.checkoutId,
    product: checkout.product,
    name,
    currency: checkout.currency,
    amountMinor: fact.amountMinor,
    providerPaymentId: fact.providerPaymentId,
    purchasedAt: at,
    creditGrantId: grant?.grantId ?? null,
  }
  await insertPurchase(tx, purchase)
  await appendAudit(tx, deps.clock, {
    tenantId: checkout.tenantId,
    actor,
    action: 'purchase.complete',
    object: purchase.purchaseId,
    after: { product: checkout.product, amountMinor: String(fact.amountMinor), currency: checkout.currency },
  })
  const events: NewEvent[] = [{ type: 'purchase.completed', data: { purchase: purchaseView(purchase) } }]
  if (!grant) return events
  await insertGrant(tx, grant)
  const given = await giveCredit(tx, deps, grant, actor)
  return [...events, { type: 'credit.granted', data: { grant: creditView(given, at) } }]
}

/** What the page offered when it was opened, whatever the catalog says now. */
const creditOf = (
  checkout: CheckoutRecord,
  name: string,
  paidMinor: bigint,
  at: Temporal.Instant,
): GrantRecord | null => {
  if (checkout.gives === null) return null
  const { amountMinor, expiresAfterDays, priority, charges } = checkout.gives
  return {
    tenantId: checkout.tenantId,
    grantId: idFor('grant', checkout.checkoutId),
    state: 'active',
    category: 'paid',
    currency: checkout.currency,
    amountMinor: BigInt(amountMinor),
    paidMinor,
    priority,
    charges,
    grantedAt: at,
    expiresAt: expiresAfterDays === null ? null : at.add({ hours: 24 * expiresAfterDays }),
    reason: `Bought: ${name}`,
    grantedBy: checkout.openedBy,
    checkoutId: checkout.checkoutId,
    requestExpiresAt: null,
    decidedBy: null,
    decidedAt: null,
    decisionReason: null,
    voidedAt: null,
  }
}
