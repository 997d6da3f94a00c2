import type Stripe from 'stripe'
import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { newId } from '../store/ids.ts'
import { listOf, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import { need } from './common.ts'
import type { Customer, Meter, MeterEvent } from './types.ts'

export function createMeter(tx: Tx, params: Stripe.Billing.MeterCreateParams): Meter {
  if (activeMeter(tx, params.event_name))
    throw invalid(
      `An active meter with event name \`${params.event_name}\` already exists.`,
      'event_name',
      'resource_already_exists',
    )
  const meter: Meter = {
    id: newId('mtr_test', 20),
    object: 'billing.meter',
    created: tx.now,
    customer_mapping: {
      event_payload_key: params.customer_mapping?.event_payload_key ?? 'stripe_customer_id',
      type: 'by_id',
    },
    default_aggregation: { formula: params.default_aggregation.formula as 'sum' },
    display_name: params.display_name,
    event_name: params.event_name,
    event_time_window: params.event_time_window ?? null,
    livemode: false,
    status: 'active',
    status_transitions: { deactivated_at: null },
    updated: tx.now,
    value_settings: { event_payload_key: params.value_settings?.event_payload_key ?? 'value' },
  }
  save(tx, meter)
  emit(tx, 'billing.meter.created', meter)
  return meter
}

export function updateMeter(tx: Tx, id: string, change: Partial<Meter>, event: string): Meter {
  const meter = need<Meter>(tx, 'billing.meter', id)
  if (change.status === meter.status) throw invalid(`The meter is already ${meter.status}.`)
  const before = snapshot(tx, meter)
  Object.assign(meter, change, { updated: tx.now })
  save(tx, meter)
  emitUpdate(tx, `billing.meter.${event}`, meter, before)
  return meter
}

/** Usage of one customer. The same identifier counts once. */
export function recordUsage(tx: Tx, params: Stripe.Billing.MeterEventCreateParams): Record<string, unknown> {
  const meter = activeMeter(tx, params.event_name)
  if (!meter) throw invalid(`No active meter found for event name \`${params.event_name}\`.`, 'event_name')
  const payload = params.payload as Record<string, string>
  const customer = payload[meter.customer_mapping.event_payload_key]
  if (customer === undefined)
    throw invalid(`The payload misses \`${meter.customer_mapping.event_payload_key}\`.`, 'payload', 'parameter_missing')
  need<Customer>(tx, 'customer', customer, 'payload')
  const value = Number(
    payload[meter.value_settings.event_payload_key] ?? (meter.default_aggregation.formula === 'count' ? 1 : Number.NaN),
  )
  if (!Number.isFinite(value)) throw invalid('The value of the payload must be a number.', 'payload')
  const identifier = params.identifier ?? newId('mtre')
  if (usageOf(tx, meter.id, customer).some((each) => each.identifier === identifier))
    throw invalid(`An event already exists with identifier ${identifier}.`, 'identifier', 'resource_already_exists')
  const usage: MeterEvent = {
    id: newId('mtre'),
    object: 'billing.meter_event',
    created: tx.now,
    event_name: params.event_name,
    identifier,
    livemode: false,
    payload,
    timestamp: params.timestamp ?? tx.now,
    _: { meter: meter.id, customer, value, canceled: false },
  }
  save(tx, usage)
  return shown(usage)
}

/** Takes an event back, as long as its meter has it. */
export function cancelUsage(tx: Tx, params: Stripe.Billing.MeterEventAdjustmentCreateParams): Record<string, unknown> {
  const identifier = params.cancel?.identifier ?? null
  const usage = listOf<MeterEvent>(tx, 'billing.meter_event').find(
    (each) => each.event_name === params.event_name && each.identifier === identifier,
  )
  if (!usage) throw invalid(`No event with identifier ${identifier}.`, 'cancel[identifier]', 'resource_missing')
  usage._.canceled = true
  save(tx, usage)
  return {
    object: 'billing.meter_event_adjustment',
    cancel: { identifier },
    event_name: params.event_name,
    livemode: false,
    status: 'complete',
    type: 'cancel',
  }
}

/** What a customer used from `start` up to `end`, as the meter counts. */
export function aggregate(tx: Tx, meter: Meter, customer: string, start: number, end: number): number {
  const within = usageOf(tx, meter.id, customer)
    .filter((each) => !each._.canceled && each.timestamp >= start && each.timestamp < end)
    .sort((a, b) => a.timestamp - b.timestamp)
  const { formula } = meter.default_aggregation
  if (formula === 'count') return within.length
  if (formula === 'last') return within.at(-1)?._.value ?? 0
  return within.reduce((sum, each) => sum + each._.value, 0)
}

function activeMeter(tx: Tx, eventName: string): Meter | undefined {
  return listOf<Meter>(tx, 'billing.meter').find((each) => each.status === 'active' && each.event_name === eventName)
}

// Oldest first, so that the last of several in one second is the one that came last.
function usageOf(tx: Tx, meter: string, customer: string): MeterEvent[] {
  return listOf<MeterEvent>(tx, 'billing.meter_event', { parent: meter })
    .filter((each) => each._.customer === customer)
    .reverse()
}

function shown({ id: _id, _, ...usage }: MeterEvent): Record<string, unknown> {
  return usage
}
