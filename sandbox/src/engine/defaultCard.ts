import { emitUpdate, snapshot } from '../events/emit.ts'
import type { Customer, Subscription } from '../objects/types.ts'
import { listOf, load, save, type Tx } from '../store/transact.ts'

/** Makes a card the customer's default; subscriptions that have a card of their own follow it. */
export function replaceCard(tx: Tx, customerId: string, method: string): void {
  const customer = load<Customer>(tx, customerId)
  const before = snapshot(tx, customer)
  customer.invoice_settings.default_payment_method = method
  save(tx, customer)
  emitUpdate(tx, 'customer.updated', customer, before)
  for (const subscription of listOf<Subscription>(tx, 'subscription', { customer: customerId })) {
    const ended = subscription.status === 'canceled' || subscription.status.startsWith('incomplete')
    if (ended || subscription.default_payment_method === null) continue
    const subscriptionBefore = snapshot(tx, subscription)
    subscription.default_payment_method = method
    save(tx, subscription)
    emitUpdate(tx, 'customer.subscription.updated', subscription, subscriptionBefore)
  }
}
