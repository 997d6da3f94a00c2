import type Stripe from 'stripe'
import { cancelNow } from '../engine/cancel.ts'
import { pauseSubscription, resumeSubscription } from '../engine/pause.ts'
import { cancelSchedule, createSchedule, releaseSchedule, updateSchedule } from '../engine/schedule.ts'
import { subscribe } from '../engine/subscribe.ts'
import { type UpdateParams, updateSubscription } from '../engine/updateSubscription.ts'
import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { need, within } from '../objects/common.ts'
import { itemsOf } from '../objects/render.ts'
import type { Customer, Discount, Subscription, SubscriptionItem, SubscriptionSchedule } from '../objects/types.ts'
import { load, save, type Tx } from '../store/transact.ts'
import type { Endpoints } from '../wire/endpoints.ts'
import { invalid } from '../wire/errors.ts'
import { page, pageOf } from '../wire/list.ts'
import { search } from '../wire/search.ts'

export const subscriptionRoutes: Endpoints = {
  'POST /v1/subscriptions': (tx: Tx, params: Stripe.SubscriptionCreateParams) => subscribe(tx, params).subscription,
  'GET /v1/subscriptions': (tx: Tx, params: Stripe.SubscriptionListParams) =>
    page<Subscription>(tx, '/v1/subscriptions', 'subscription', params, (subscription) =>
      listed(tx, subscription, params),
    ),
  'GET /v1/subscriptions/search': (tx: Tx, params: Stripe.SubscriptionSearchParams) =>
    search<Subscription>(tx, '/v1/subscriptions/search', 'subscription', params),
  'GET /v1/subscriptions/{id}': (tx: Tx, _params: unknown, id: string) => need<Subscription>(tx, 'subscription', id),
  'POST /v1/subscriptions/{id}': (tx: Tx, params: UpdateParams, id: string) => updateSubscription(tx, id, params),
  'DELETE /v1/subscriptions/{id}': (tx: Tx, params: Stripe.SubscriptionCancelParams, id: string) => {
    const subscription = need<Subscription>(tx, 'subscription', id)
    if (subscription.status === 'canceled' || subscription.status === 'incomplete_expired')
      throw invalid(`No such subscription: '${id}'`, 'id', 'resource_missing', 404)
    const details = params.cancellation_details
    return cancelNow(tx, subscription, {
      reason: 'cancellation_requested',
      invoiceNow: params.invoice_now,
      prorate: params.prorate,
      ...(details?.comment === undefined ? {} : { comment: details.comment || null }),
      ...(details?.feedback === undefined ? {} : { feedback: details.feedback || null }),
    })
  },
  'DELETE /v1/subscriptions/{id}/discount': (tx: Tx, _params: unknown, id: string) => {
    const subscription = need<Subscription>(tx, 'subscription', id)
    const discount = need<Discount>(tx, 'discount', subscription.discounts[0], 'id')
    const before = snapshot(tx, subscription)
    subscription.discounts = []
    save(tx, subscription)
    emit(tx, 'customer.discount.deleted', discount)
    emitUpdate(tx, 'customer.subscription.updated', subscription, before)
    return { ...discount, deleted: true }
  },
  'POST /v1/subscriptions/{id}/pause': (tx: Tx, params: Stripe.SubscriptionPauseParams, id: string) =>
    pauseSubscription(tx, id, params),
  'POST /v1/subscriptions/{id}/resume': (tx: Tx, params: Parameters<typeof resumeSubscription>[2], id: string) =>
    resumeSubscription(tx, id, params),
  'POST /v1/subscriptions/{id}/migrate': (tx: Tx, _params: unknown, id: string) =>
    need<Subscription>(tx, 'subscription', id),

  'POST /v1/subscription_items': (tx: Tx, params: Stripe.SubscriptionItemCreateParams) => {
    const { subscription, price, quantity, metadata, price_data, ...rest } = params
    const known = new Set(
      itemsOf(tx, need<Subscription>(tx, 'subscription', subscription, 'subscription').id).map((item) => item.id),
    )
    updateSubscription(tx, subscription, {
      ...rest,
      items: [{ price, quantity, metadata, price_data }],
    } as UpdateParams)
    return itemsOf(tx, subscription).find((item) => !known.has(item.id))
  },
  'GET /v1/subscription_items': (tx: Tx, params: Stripe.SubscriptionItemListParams) =>
    pageOf(
      tx,
      `/v1/subscription_items?subscription=${params.subscription}`,
      itemsOf(tx, need<Subscription>(tx, 'subscription', params.subscription, 'subscription').id),
      params,
    ),
  'GET /v1/subscription_items/{id}': (tx: Tx, _params: unknown, id: string) =>
    need<SubscriptionItem>(tx, 'subscription_item', id),
  'POST /v1/subscription_items/{id}': (tx: Tx, params: Stripe.SubscriptionItemUpdateParams, id: string) => {
    const item = need<SubscriptionItem>(tx, 'subscription_item', id)
    const { price, quantity, metadata, price_data, ...rest } = params
    updateSubscription(tx, item.subscription, {
      ...rest,
      items: [{ id, price, quantity, metadata, price_data }],
    } as UpdateParams)
    return load<SubscriptionItem>(tx, id)
  },
  'DELETE /v1/subscription_items/{id}': (tx: Tx, params: Stripe.SubscriptionItemDeleteParams, id: string) => {
    const item = need<SubscriptionItem>(tx, 'subscription_item', id)
    updateSubscription(tx, item.subscription, { ...params, items: [{ id, deleted: true }] } as UpdateParams)
    return { id, object: 'subscription_item', deleted: true }
  },

  'POST /v1/subscription_schedules': createSchedule,
  'GET /v1/subscription_schedules': (tx: Tx, params: Stripe.SubscriptionScheduleListParams) =>
    page<SubscriptionSchedule>(
      tx,
      '/v1/subscription_schedules',
      'subscription_schedule',
      params,
      (schedule) =>
        (params.customer === undefined || schedule.customer === params.customer) &&
        (params.scheduled !== true || schedule.status === 'not_started') &&
        within(schedule.created, params.created) &&
        within(schedule.canceled_at, params.canceled_at) &&
        within(schedule.completed_at, params.completed_at) &&
        within(schedule.released_at, params.released_at),
    ),
  'GET /v1/subscription_schedules/{id}': (tx: Tx, _params: unknown, id: string) =>
    need<SubscriptionSchedule>(tx, 'subscription_schedule', id),
  'POST /v1/subscription_schedules/{id}': (tx: Tx, params: Stripe.SubscriptionScheduleUpdateParams, id: string) =>
    updateSchedule(tx, id, params),
  'POST /v1/subscription_schedules/{id}/release': (tx: Tx, _params: unknown, id: string) => releaseSchedule(tx, id),
  'POST /v1/subscription_schedules/{id}/cancel': (
    tx: Tx,
    params: { invoice_now?: boolean; prorate?: boolean },
    id: string,
  ) => cancelSchedule(tx, id, params),
}

/** Canceled ones are left out unless they are asked for; so are those on a test clock. */
function listed(tx: Tx, subscription: Subscription, params: Stripe.SubscriptionListParams): boolean {
  const { status } = subscription
  const ended = status === 'canceled' || status === 'incomplete_expired'
  const wanted = params.status
  if (
    wanted === undefined ? status === 'canceled' : wanted === 'ended' ? !ended : wanted !== 'all' && wanted !== status
  )
    return false
  if (params.customer !== undefined && subscription.customer !== params.customer) return false
  const clock = params.test_clock ?? (params.customer ? load<Customer>(tx, params.customer).test_clock : null)
  if (subscription.test_clock !== clock) return false
  if (params.collection_method !== undefined && subscription.collection_method !== params.collection_method)
    return false
  if (!within(subscription.created, params.created)) return false
  const needsItems = params.price ?? params.plan ?? params.current_period_end ?? params.current_period_start
  if (needsItems === undefined) return true
  return itemsOf(tx, subscription.id).some(
    (item) =>
      (params.price === undefined || item.price === params.price) &&
      (params.plan === undefined || item.price === params.plan) &&
      within(item.current_period_end, params.current_period_end) &&
      within(item.current_period_start, params.current_period_start),
  )
}
