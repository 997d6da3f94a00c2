import type Stripe from 'stripe'
import { need } from '../objects/common.ts'
import { aggregate, cancelUsage, createMeter, recordUsage, updateMeter } from '../objects/meter.ts'
import type { Customer, Meter } from '../objects/types.ts'
import type { Tx } from '../store/transact.ts'
import type { Endpoints } from '../wire/endpoints.ts'
import { page } from '../wire/list.ts'

const hour = 3600

export const meterRoutes: Endpoints = {
  'POST /v1/billing/meters': createMeter,
  'GET /v1/billing/meters': (tx: Tx, params: Stripe.Billing.MeterListParams) =>
    page<Meter>(
      tx,
      '/v1/billing/meters',
      'billing.meter',
      params,
      (meter) => params.status === undefined || meter.status === params.status,
    ),
  'GET /v1/billing/meters/{id}': (tx: Tx, _params: unknown, id: string) => need<Meter>(tx, 'billing.meter', id),
  'POST /v1/billing/meters/{id}': (tx: Tx, params: Stripe.Billing.MeterUpdateParams, id: string) =>
    updateMeter(tx, id, params.display_name === undefined ? {} : { display_name: params.display_name }, 'updated'),
  'POST /v1/billing/meters/{id}/deactivate': (tx: Tx, _params: unknown, id: string) =>
    updateMeter(tx, id, { status: 'inactive', status_transitions: { deactivated_at: tx.now } }, 'deactivated'),
  'POST /v1/billing/meters/{id}/reactivate': (tx: Tx, _params: unknown, id: string) =>
    updateMeter(tx, id, { status: 'active', status_transitions: { deactivated_at: null } }, 'reactivated'),
  'GET /v1/billing/meters/{id}/event_summaries': (
    tx: Tx,
    params: Stripe.Billing.MeterListEventSummariesParams,
    id: string,
  ) => {
    const meter = need<Meter>(tx, 'billing.meter', id)
    const customer = need<Customer>(tx, 'customer', params.customer, 'customer').id
    const window =
      params.value_grouping_window === 'hour' ? hour : params.value_grouping_window === 'day' ? 24 * hour : null
    const length = window ?? params.end_time - params.start_time
    const data: Record<string, unknown>[] = []
    // Newest first, as lists are; with a window only those in which something was used.
    for (let end = params.end_time; end > params.start_time && length > 0; end -= length) {
      const start = Math.max(params.start_time, end - length)
      const value = aggregate(tx, meter, customer, start, end)
      if (window !== null && value === 0) continue
      data.push({
        id: `mtrusg_test_${start}`,
        object: 'billing.meter_event_summary',
        aggregated_value: value,
        end_time: end,
        livemode: false,
        meter: id,
        start_time: start,
      })
    }
    const limit = params.limit ?? 10
    return {
      object: 'list',
      data: data.slice(0, limit),
      has_more: data.length > limit,
      url: `/v1/billing/meters/${id}/event_summaries`,
    }
  },
  'POST /v1/billing/meter_events': recordUsage,
  'POST /v1/billing/meter_event_adjustments': cancelUsage,
}
