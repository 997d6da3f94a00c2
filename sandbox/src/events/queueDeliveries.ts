import type { EventObject, WebhookEndpoint } from '../objects/types.ts'
import { apiVersion } from '../objects/webhookEndpoint.ts'
import { newId } from '../store/ids.ts'
import { listOf, save, type Tx } from '../store/transact.ts'
import { clockNow } from '../world.ts'

/** Stores the events of a transaction with it, and one delivery for each endpoint that listens. */
export function queueDeliveries(tx: Tx): void {
  if (tx.events.length === 0) return
  const endpoints = listOf<WebhookEndpoint>(tx, 'webhook_endpoint')
    .filter((endpoint) => endpoint.status === 'enabled')
    .reverse()
  for (const pending of tx.events) {
    const listening = endpoints.filter((endpoint) => listens(endpoint, pending.type))
    const event: EventObject = {
      id: newId('evt'),
      object: 'event',
      api_version: apiVersion,
      created: pending.at,
      data: {
        object: pending.object,
        ...(pending.previous ? { previous_attributes: pending.previous } : {}),
      },
      livemode: false,
      pending_webhooks: listening.length,
      request: { id: tx.request?.id ?? null, idempotency_key: tx.request?.idempotencyKey ?? null },
      type: pending.type,
    }
    save(tx, event)
    for (const endpoint of listening) {
      const plan = tx.world.faults.onWebhook(pending.type, customerOf(pending.object), clockNow(tx.world))
      for (const { status, due } of plan) tx.world.store.addDelivery(event.id, endpoint.id, status, due)
    }
  }
}

function customerOf(object: unknown): string | null {
  const { id, object: type, customer } = object as { id?: string; object?: string; customer?: unknown }
  if (type === 'customer') return id ?? null
  return typeof customer === 'string' ? customer : null
}

function listens(endpoint: WebhookEndpoint, type: string): boolean {
  return endpoint.enabled_events.some((pattern) => pattern === '*' || pattern === type)
}
