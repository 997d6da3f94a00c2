import type Stripe from 'stripe'
import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { cashBalance, fundCashBalance } from '../objects/cashBalance.ts'
import { need, within } from '../objects/common.ts'
import { createCustomer, deleteCustomer, retrieveCustomer, updateCustomer } from '../objects/customer.ts'
import {
  attachPaymentMethod,
  createPaymentMethod,
  detachPaymentMethod,
  ownCopy,
  updatePaymentMethod,
} from '../objects/paymentMethod.ts'
import type { Customer, Discount, PaymentMethod, Subscription } from '../objects/types.ts'
import { newId } from '../store/ids.ts'
import { listOf, load, save, type Tx } from '../store/transact.ts'
import type { Endpoints } from '../wire/endpoints.ts'
import { type Cursor, page, pageOf } from '../wire/list.ts'
import { search } from '../wire/search.ts'

export const customerRoutes: Endpoints = {
  'POST /v1/customers': createCustomer,
  'GET /v1/customers': (tx: Tx, params: Stripe.CustomerListParams) =>
    page<Customer>(
      tx,
      '/v1/customers',
      'customer',
      params,
      (customer) =>
        (params.email === undefined || customer.email === params.email) &&
        customer.test_clock === (params.test_clock ?? null) &&
        within(customer.created, params.created),
    ),
  'GET /v1/customers/search': (tx: Tx, params: Stripe.CustomerSearchParams) =>
    search<Customer>(tx, '/v1/customers/search', 'customer', params),
  'GET /v1/customers/{id}': (tx: Tx, _params: unknown, id: string) => retrieveCustomer(tx, id),
  'POST /v1/customers/{id}': (tx: Tx, params: Stripe.CustomerUpdateParams, id: string) =>
    updateCustomer(tx, id, params),
  'DELETE /v1/customers/{id}': (tx: Tx, _params: unknown, id: string) => deleteCustomer(tx, id),
  'DELETE /v1/customers/{id}/discount': (tx: Tx, _params: unknown, id: string) => {
    const customer = need<Customer>(tx, 'customer', id)
    const discount = need<Discount>(tx, 'discount', customer.discount ?? 'discount', 'id')
    const before = snapshot(tx, customer)
    customer.discount = null
    save(tx, customer)
    emit(tx, 'customer.discount.deleted', discount)
    emitUpdate(tx, 'customer.updated', customer, before)
    return { ...discount, deleted: true }
  },
  'GET /v1/customers/{id}/payment_methods': (tx: Tx, params: Stripe.CustomerListPaymentMethodsParams, id: string) => {
    need<Customer>(tx, 'customer', id)
    const all = listOf<PaymentMethod>(tx, 'payment_method', { customer: id }).filter(
      (method) => params.type === undefined || method.type === params.type,
    )
    return pageOf(tx, `/v1/customers/${id}/payment_methods`, all, params)
  },
  'GET /v1/customers/{customerId}/payment_methods/{id}': (tx: Tx, _params: unknown, customer: string, id: string) => {
    need<Customer>(tx, 'customer', customer)
    return need<PaymentMethod>(tx, 'payment_method', id, 'payment_method', 404)
  },
  'GET /v1/customers/{id}/subscriptions': (tx: Tx, params: Stripe.SubscriptionListParams, id: string) =>
    pageOf(
      tx,
      `/v1/customers/${id}/subscriptions`,
      listOf<Subscription>(tx, 'subscription', { customer: id }).filter((each) => each.status !== 'canceled'),
      params,
    ),
  'GET /v1/customers/{id}/balance_transactions': (
    tx: Tx,
    params: Stripe.CustomerListBalanceTransactionsParams,
    id: string,
  ) =>
    pageOf(
      tx,
      `/v1/customers/${id}/balance_transactions`,
      listOf(tx, 'customer_balance_transaction', { customer: id }),
      params,
    ),
  'POST /v1/customers/{id}/balance_transactions': (
    tx: Tx,
    params: Stripe.CustomerCreateBalanceTransactionParams,
    id: string,
  ) => {
    const customer = need<Customer>(tx, 'customer', id)
    const before = snapshot(tx, customer)
    customer.balance += params.amount
    customer.currency ??= params.currency
    save(tx, customer)
    emitUpdate(tx, 'customer.updated', customer, before)
    return save(tx, {
      id: newId('cbtxn'),
      object: 'customer_balance_transaction',
      amount: params.amount,
      checkout_session: null,
      created: tx.now,
      credit_note: null,
      currency: params.currency,
      customer: id,
      customer_account: null,
      description: params.description ?? null,
      ending_balance: customer.balance,
      invoice: null,
      livemode: false,
      metadata: {},
      type: 'adjustment',
    })
  },
  'GET /v1/customers/{id}/cash_balance': (tx: Tx, _params: unknown, id: string) => cashBalance(tx, id),
  'GET /v1/customers/{id}/cash_balance_transactions': (tx: Tx, params: Cursor, id: string) =>
    pageOf(
      tx,
      `/v1/customers/${id}/cash_balance_transactions`,
      listOf(tx, 'customer_cash_balance_transaction', { customer: need<Customer>(tx, 'customer', id).id }),
      params,
    ),
  'POST /v1/test_helpers/customers/{id}/fund_cash_balance': (
    tx: Tx,
    params: Parameters<typeof fundCashBalance>[2],
    id: string,
  ) => fundCashBalance(tx, id, params),
  // Cards given as tokens, the way before payment methods; the Stripe CLI's scripts still use it.
  'POST /v1/customers/{id}/sources': (tx: Tx, params: { source?: string }, id: string) => {
    need<Customer>(tx, 'customer', id)
    const method = attachPaymentMethod(tx, ownCopy(tx, params.source ?? 'tok_visa', 'source').id, id)
    const customer = load<Customer>(tx, id)
    customer.invoice_settings.default_payment_method ??= method.id
    save(tx, customer)
    const card = { id: method.id, object: 'card', customer: id, ...method.card }
    tx.events.push({ type: 'customer.source.created', object: card, at: tx.now })
    return card
  },

  'POST /v1/customers/{customerId}/sources/{id}': (
    tx: Tx,
    params: { metadata?: unknown; exp_month?: number },
    customer: string,
    id: string,
  ) => {
    need<Customer>(tx, 'customer', customer)
    const method = updatePaymentMethod(tx, id, { metadata: params.metadata })
    const card = { id, object: 'card', customer, metadata: method.metadata, ...method.card }
    tx.events.push({ type: 'customer.source.updated', object: card, previous: {}, at: tx.now })
    return card
  },

  'DELETE /v1/customers/{customerId}/sources/{id}': (tx: Tx, _params: unknown, customer: string, id: string) => {
    need<Customer>(tx, 'customer', customer)
    const method = detachPaymentMethod(tx, id)
    const card = { id, object: 'card', customer, metadata: method.metadata, ...method.card }
    tx.events.push({ type: 'customer.source.deleted', object: card, at: tx.now })
    return { id, object: 'card', deleted: true }
  },

  'POST /v1/payment_methods': (tx: Tx, params: Parameters<typeof createPaymentMethod>[1]) =>
    createPaymentMethod(tx, params),
  'GET /v1/payment_methods': (tx: Tx, params: Stripe.PaymentMethodListParams) =>
    pageOf(
      tx,
      '/v1/payment_methods',
      params.customer
        ? listOf<PaymentMethod>(tx, 'payment_method', {
            customer: need<Customer>(tx, 'customer', params.customer, 'customer').id,
          }).filter((method) => params.type === undefined || method.type === params.type)
        : [],
      params,
    ),
  'GET /v1/payment_methods/{id}': (tx: Tx, _params: unknown, id: string) => ownCopy404(tx, id),
  'POST /v1/payment_methods/{id}': (tx: Tx, params: Parameters<typeof updatePaymentMethod>[2], id: string) =>
    updatePaymentMethod(tx, id, params),
  'POST /v1/payment_methods/{id}/attach': (tx: Tx, params: Stripe.PaymentMethodAttachParams, id: string) =>
    attachPaymentMethod(tx, id, params.customer!),
  'POST /v1/payment_methods/{id}/detach': (tx: Tx, _params: unknown, id: string) => detachPaymentMethod(tx, id),
}

function ownCopy404(tx: Tx, id: string): PaymentMethod {
  return id.startsWith('pm_card_')
    ? ownCopy(tx, id)
    : need<PaymentMethod>(tx, 'payment_method', id, 'payment_method', 404)
}
