import { dueOf } from '../engine/due.ts'
import { queueDeliveries } from '../events/queueDeliveries.ts'
import type { Stored } from '../objects/types.ts'
import { StripeError } from '../wire/errors.ts'
import { clockNow, type World } from '../world.ts'

type PendingEvent = { type: string; object: unknown; previous?: unknown; at: number }

/** One atomic piece of work. `now` follows the test clock of the objects that it touches. */
export type Tx = {
  world: World
  now: number
  /** The API request behind this work; null for work that fell due by itself. */
  request: { id: string; idempotencyKey: string | null } | null
  events: PendingEvent[]
}

/** Runs `work` in one transaction; its events are stored with it and sent once it is committed. */
export function transact<T>(world: World, request: Tx['request'], work: (tx: Tx) => T): T {
  const tx: Tx = { world, now: clockNow(world), request, events: [] }
  world.store.begin()
  try {
    const result = work(tx)
    queueDeliveries(tx)
    world.store.commit()
    world.delivering.wake()
    return result
  } catch (error) {
    if (error instanceof StripeError && error.keep) {
      queueDeliveries(tx)
      world.store.commit()
      world.delivering.wake()
    } else world.store.rollback()
    throw error
  }
}

/** Runs `work` and undoes all of it, events too, keeping only its result. */
export function rehearse<T>(tx: Tx, work: () => T): T {
  const events = tx.events.length
  const now = tx.now
  const point = tx.world.store.savepoint()
  try {
    return work()
  } finally {
    tx.world.store.rollbackTo(point)
    tx.events.length = events
    tx.now = now
  }
}

export function find<T extends Stored>(tx: Tx, id: string): T | undefined {
  const row = tx.world.store.find(id)
  if (!row) return undefined
  const object = JSON.parse(row.body) as T
  if (typeof object.test_clock === 'string') {
    const clock = tx.world.store.find(object.test_clock)
    if (clock) tx.now = (JSON.parse(clock.body) as { frozen_time: number }).frozen_time
  }
  return object
}

export function load<T extends Stored>(tx: Tx, id: string): T {
  const object = find<T>(tx, id)
  if (!object) throw new Error(`${id} is referenced but not stored`)
  return object
}

export function save<T extends Stored>(tx: Tx, object: T): T {
  const { due, rank } = dueOf(object)
  tx.world.store.write(
    object.id,
    {
      type: object.object,
      customer: typeof object.customer === 'string' ? object.customer : null,
      parent: parentOf(object),
      clock: typeof object.test_clock === 'string' ? object.test_clock : '',
      due,
      rank,
    },
    JSON.stringify(object),
  )
  return object
}

export function remove(tx: Tx, id: string): void {
  tx.world.store.remove(id)
}

/** Newest first. */
export function listOf<T extends Stored>(
  tx: Tx,
  type: T['object'],
  by: { customer?: string; parent?: string } = {},
): T[] {
  return tx.world.store.list(type, by).map((body) => JSON.parse(body) as T)
}

function parentOf(object: Stored): string | null {
  const owner: Record<string, unknown> = {
    subscription_item: object.subscription,
    line_item: object.invoice,
    invoice_payment: object.invoice,
    price: object.product,
    charge: object.payment_intent,
    refund: object.charge,
    dispute: object.charge,
    credit_note: object.invoice,
    item: object._?.session,
    invoice: object._?.subscription,
    invoiceitem: object.invoice ?? object._?.subscription,
    promotion_code: object._?.coupon,
    customer: object.test_clock,
    'billing.meter_event': object._?.meter,
  }
  const parent = owner[object.object]
  return typeof parent === 'string' ? parent : null
}
