import type Stripe from 'stripe'
import { describe, expect, test } from 'vitest'
import { checkoutFact, scheduledChange, subscriptionFact } from './translate.ts'
import { invoiceFact } from './translate-invoice.ts'

const start = 1_767_225_600
const end = 1_769_904_000
const iso = (seconds: number) => Temporal.Instant.fromEpochMilliseconds(seconds * 1_000).toString()
const text = (value: unknown) =>
  JSON.parse(JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner)))

const price = {
  lookup_key: 'acme_pro_monthly_usd_1',
  currency: 'usd',
  recurring: { interval: 'month', interval_count: 1 },
}
const item = (more: object = {}) => ({
  id: 'si_1',
  quantity: 1,
  price,
  current_period_start: start,
  current_period_end: end,
  ...more,
})
const subscription = (more: object = {}, items: object[] = [item()]) =>
  ({
    id: 'sub_1',
    customer: 'cus_1',
    status: 'active',
    items: { data: items },
    billing_cycle_anchor: start,
    start_date: start,
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    ended_at: null,
    trial_end: null,
    metadata: { turnpike_plan_version: '3' },
    ...more,
  }) as unknown as Stripe.Subscription
const fact = (more: object = {}, items?: object[]) => text(subscriptionFact(subscription(more, items)))

test('a subscription in our words', () => {
  expect(fact()).toEqual({
    providerSubscriptionId: 'sub_1',
    providerCustomerId: 'cus_1',
    status: 'active',
    items: [
      {
        lookupKey: 'acme_pro_monthly_usd_1',
        quantity: 1,
        interval: { unit: 'month', count: 1 },
        currency: 'USD',
        period: { start: iso(start), end: iso(end) },
      },
    ],
    period: { start: iso(start), end: iso(end) },
    anchor: iso(start),
    trialEndsAt: null,
    endsAt: null,
    endedAt: null,
    startedAt: iso(start),
    paymentMethodOnFile: false,
    paused: null,
    collectionPaused: null,
    latestInvoiceId: null,
    planVersion: 3,
    scheduled: null,
    unpaidChange: null,
    discounts: [],
    orderedBy: null,
  })
})

describe('shapes of several versions', () => {
  test.each<[string, object, object[] | undefined, object]>([
    ['the period on the items, since basil', {}, undefined, { period: { start: iso(start), end: iso(end) } }],
    [
      'the period on the subscription, before',
      { current_period_start: start, current_period_end: end },
      [item({ current_period_start: undefined, current_period_end: undefined })],
      { period: { start: iso(start), end: iso(end) } },
    ],
    ['no items and no period', {}, [], { period: { start: iso(start), end: iso(start + 1) }, items: [] }],
    ['a period without length', {}, [item({ current_period_end: start })], { period: { end: iso(start + 1) } }],
    ['a customer that was expanded', { customer: { id: 'cus_2' } }, undefined, { providerCustomerId: 'cus_2' }],
    [
      'a price that is not ours',
      {},
      [item({ price: { ...price, lookup_key: null } })],
      { items: [{ lookupKey: null }] },
    ],
    ['a metered item without quantity', {}, [item({ quantity: undefined })], { items: [{ quantity: 1 }] }],
    [
      'a price that is paid once',
      {},
      [item({ price: { ...price, recurring: null } })],
      { items: [{ interval: null }] },
    ],
    [
      'three months',
      {},
      [item({ price: { ...price, recurring: { interval: 'month', interval_count: 3 } } })],
      { items: [{ interval: { unit: 'month', count: 3 } }] },
    ],
    ['no plan version', { metadata: {} }, undefined, { planVersion: null }],
    ['a plan version that is none', { metadata: { turnpike_plan_version: '0' } }, undefined, { planVersion: null }],
    ['no metadata', { metadata: null }, undefined, { planVersion: null }],
  ])('%s', (_, more, items, expected) => {
    expect(fact(more, items)).toMatchObject(expected)
  })
})

describe('its end', () => {
  const later = end + 86_400
  test.each<[string, object, string | null, string | null]>([
    ['goes on', {}, null, null],
    ['ends with the period', { cancel_at_period_end: true }, iso(end), null],
    ['ends with the period, told by a time', { cancel_at: end }, iso(end), null],
    ['ends at a time of its own', { cancel_at: later }, iso(later), null],
    ['the time wins over the flag', { cancel_at: later, cancel_at_period_end: true }, iso(later), null],
    ['has ended', { status: 'canceled', ended_at: start + 5, canceled_at: start }, null, iso(start + 5)],
    ['has ended as it was going to', { status: 'canceled', ended_at: end, cancel_at_period_end: true }, null, iso(end)],
    ['has ended and nobody said when', { status: 'canceled', canceled_at: start + 7 }, null, iso(start + 7)],
    ['expired before it began', { status: 'incomplete_expired' }, null, iso(end)],
  ])('%s', (_, more, endsAt, endedAt) => {
    expect(fact(more)).toMatchObject({ endsAt, endedAt })
  })
})

describe('its status', () => {
  test.each(['incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'unpaid', 'paused', 'canceled'])(
    '%s',
    (status) => {
      expect(fact({ status })).toMatchObject({ status })
    },
  )

  test.each(['ended', 'frozen', '', 'constructor', '__proto__', null])(
    '%s is not known, so nothing is guessed',
    (status) => {
      expect(fact({ status })).toBeNull()
    },
  )

  test('a trial has an end only while it lasts', () => {
    expect(fact({ status: 'trialing', trial_end: end })).toMatchObject({ trialEndsAt: iso(end) })
    expect(fact({ status: 'active', trial_end: start })).toMatchObject({ trialEndsAt: null })
  })

  test('a subscription of nobody is no fact', () => {
    expect(fact({ customer: null })).toBeNull()
  })
})

describe('what else stands about it', () => {
  test.each<[string, object, object]>([
    ['a payment method of its own', { default_payment_method: 'pm_1' }, { paymentMethodOnFile: true }],
    ['a source of its own', { default_source: 'card_1' }, { paymentMethodOnFile: true }],
    [
      'a payment method of its customer',
      { customer: { id: 'cus_1', invoice_settings: { default_payment_method: 'pm_1' } } },
      { paymentMethodOnFile: true },
    ],
    [
      'a customer without one',
      { customer: { id: 'cus_1', invoice_settings: { default_payment_method: null } } },
      { paymentMethodOnFile: false },
    ],
    ['a customer that was deleted', { customer: { id: 'cus_1', deleted: true } }, { paymentMethodOnFile: false }],
    [
      'paused, with reason and time',
      {
        status: 'paused',
        status_details: { paused: { subscription: { type: 'pause_requested' }, transitioned_at: start + 9 } },
      },
      { paused: { reason: 'pause_requested', since: iso(start + 9) } },
    ],
    ['paused, and nobody says why', { status: 'paused' }, { paused: { reason: null, since: null } }],
    [
      'not paused any more, whatever is left of it',
      { status_details: { paused: { transitioned_at: start } } },
      { paused: null },
    ],
    [
      'not collected for a while',
      { pause_collection: { behavior: 'void', resumes_at: end } },
      { status: 'active', collectionPaused: { behavior: 'void', resumesAt: iso(end) } },
    ],
    [
      'not collected until further notice',
      { pause_collection: { behavior: 'keep_as_draft', resumes_at: null } },
      { collectionPaused: { behavior: 'keep_as_draft', resumesAt: null } },
    ],
    ['its latest invoice', { latest_invoice: { id: 'in_1' } }, { latestInvoiceId: 'in_1' }],
  ])('%s', (_, more, expected) => {
    expect(fact(more)).toMatchObject(expected)
  })
})

describe('a schedule', () => {
  const schedule = (status: string, phases: object[]) => ({ status, phases }) as unknown as Stripe.SubscriptionSchedule
  const phase = (from: number, lookupKey: string | null) => ({
    start_date: from,
    items: [{ price: lookupKey === null ? 'price_1' : { lookup_key: lookupKey } }],
  })
  test.each<[string, Stripe.SubscriptionSchedule, object | null]>([
    [
      'with a phase to come',
      schedule('active', [phase(start, 'a'), phase(end, 'b')]),
      { items: [{ lookupKey: 'b', quantity: 1, interval: null }], at: iso(end) },
    ],
    ['without one', schedule('active', [phase(start, 'a')]), null],
    ['that was released', schedule('released', [phase(start, 'a'), phase(end, 'b')]), null],
    [
      'whose price was not expanded',
      schedule('active', [phase(start, 'a'), phase(end, null)]),
      { items: [], at: iso(end) },
    ],
  ])('%s', (_, given, expected) => {
    expect(text(scheduledChange(given, start))).toEqual(expected)
  })
})

const line = (more: object = {}) => ({ id: 'il_1', amount: 4900, quantity: 1, period: { start, end }, ...more })
const invoice = (more: object = {}) =>
  ({
    id: 'in_1',
    customer: 'cus_1',
    status: 'open',
    number: 'A-1',
    billing_reason: 'subscription_cycle',
    amount_due: 4_900,
    amount_paid: 0,
    currency: 'usd',
    attempt_count: 0,
    attempted: false,
    next_payment_attempt: null,
    hosted_invoice_url: null,
    created: start,
    period_start: start - 99,
    period_end: start,
    lines: { data: [line()] },
    ...more,
  }) as unknown as Stripe.Invoice

const payment = (intent: object | string, more: object = {}) => ({
  ...{ id: 'inpay_1', status: 'open', amount_paid: null, amount_requested: 4900, created: start },
  ...{ payment: { type: 'payment_intent', payment_intent: intent }, ...more },
})
const paidBy = (intent: object) => ({ data: [payment({ id: 'pi_1', ...intent })] })

describe('an invoice', () => {
  test.each<[string, object, object | null]>([
    [
      'of a cycle',
      {},
      { status: 'open', amountDue: '4900n', amountPaid: '0n', currency: 'USD', actionRequired: false },
    ],
    [
      'whose payment the bank wants confirmed',
      { attempted: true, attempt_count: 1, payments: paidBy({ status: 'requires_action' }) },
      { actionRequired: true },
    ],
    [
      'whose card asks for its owner, who was not there',
      {
        attempted: true,
        attempt_count: 1,
        payments: paidBy({
          status: 'requires_payment_method',
          last_payment_error: { code: 'authentication_required' },
        }),
      },
      { actionRequired: true },
    ],
    [
      'that was declined',
      {
        attempted: true,
        attempt_count: 1,
        payments: paidBy({ status: 'requires_payment_method', last_payment_error: { code: 'card_declined' } }),
      },
      { actionRequired: false },
    ],
    [
      'whose payments were not asked for',
      { attempted: true, attempt_count: 1, payments: { data: [payment('pi_1')] } },
      { actionRequired: false },
    ],
    [
      'since basil names its subscription under parent',
      { parent: { subscription_details: { subscription: 'sub_1' } } },
      { providerSubscriptionId: 'sub_1' },
    ],
    [
      'since basil, expanded',
      { parent: { subscription_details: { subscription: { id: 'sub_1' } } } },
      { providerSubscriptionId: 'sub_1' },
    ],
    ['before named it itself', { subscription: 'sub_1' }, { providerSubscriptionId: 'sub_1' }],
    ['of no subscription', { parent: null }, { providerSubscriptionId: null }],
    ['has the period of its lines, not its own', {}, { period: { start: iso(start), end: iso(end) } }],
    [
      'has the span of several lines',
      { lines: { data: [line({ period: { start: start + 5, end } }), line({ period: { start, end: end - 5 } })] } },
      { period: { start: iso(start), end: iso(end) } },
    ],
    [
      'with tax, discounts and credit notes',
      {
        ...{ subtotal: 5000, total: 5355, amount_remaining: 100, invoice_pdf: 'https://pdf' },
        ...{ total_discount_amounts: [{ amount: 300 }, { amount: 200 }], total_taxes: [{ amount: 855 }] },
        ...{ pre_payment_credit_notes_amount: 70, post_payment_credit_notes_amount: 8 },
      },
      {
        ...{ subtotal: '5000n', discount: '500n', tax: '855n', total: '5355n', amountRemaining: '100n' },
        ...{ creditedBeforePayment: '70n', creditedAfterPayment: '8n', pdfUrl: 'https://pdf' },
      },
    ],
    ['before basil had one number of tax', { tax: 95 }, { tax: '95n' }],
    [
      'that is worth less than nothing',
      { subtotal: -500, total: -500, amount_due: 0 },
      { subtotal: '-500n', total: '-500n' },
    ],
    [
      'with a credit for what was prorated',
      {
        lines: {
          data: [
            line({
              ...{
                amount: -1234,
                description: 'Unused time',
                quantity_decimal: '2.50',
                metadata: { turnpike_line: 'l' },
              },
              parent: { type: 'subscription_item_details', subscription_item_details: { proration: true } },
              pricing: { price_details: { price: { id: 'price_1', lookup_key: 'pro' } } },
            }),
          ],
        },
      },
      {
        lines: [
          {
            ...{ providerLineId: 'il_1', amount: '-1234n', description: 'Unused time', quantity: '2.5' },
            ...{ proration: true, lookupKey: 'pro', lineId: 'l' },
          },
        ],
      },
    ],
    [
      'that was paid by a card',
      {
        payments: {
          data: [
            payment(
              { id: 'pi_1', status: 'succeeded', payment_method: 'pm_1' },
              { status: 'paid', amount_paid: 4000, status_transitions: { paid_at: end } },
            ),
          ],
        },
      },
      {
        payments: [
          {
            ...{ providerPaymentId: 'inpay_1', status: 'paid', amount: '4000n', providerIntentId: 'pi_1' },
            ...{ providerMethodId: 'pm_1', paidAt: iso(end) },
          },
        ],
      },
    ],
    ['without lines has no period', { lines: { data: [] } }, { period: null }],
    ['that was tried and not counted asks for the customer', { attempted: true }, { actionRequired: true }],
    ['that failed does not', { attempted: true, attempt_count: 1 }, { actionRequired: false, attemptCount: 1 }],
    ['that was paid does not', { attempted: true, status: 'paid' }, { actionRequired: false }],
    ['made by hand', { billing_reason: null }, { billingReason: 'manual' }],
    ['in a state that is not known', { status: 'frozen' }, null],
    ['without a state', { status: null }, null],
    ['of nobody', { customer: null }, null],
    ['that does not exist yet', { id: undefined }, null],
  ])('%s', (_, more, expected) => {
    if (expected === null)
      expect(() => invoiceFact(invoice(more))).toThrow(expect.objectContaining({ code: 'provider_data_invalid' }))
    else expect(text(invoiceFact(invoice(more)))).toMatchObject(expected)
  })
})

describe('what makes no sense is refused, not guessed at (WEB-3)', () => {
  const refused = expect.objectContaining({ code: 'provider_data_invalid' })
  test.each<[string, object, object[] | undefined]>([
    ['no list of items', { items: undefined }, undefined],
    ['items that are none', {}, [null as unknown as object]],
    ['an item without a price', {}, [item({ price: undefined })]],
    ['a negative quantity', {}, [item({ quantity: -1 })]],
    ['half a seat', {}, [item({ quantity: 1.5 })]],
    ['no number of seats', {}, [item({ quantity: Number.NaN })]],
    ['a quantity in words', {}, [item({ quantity: '3' })]],
    ['a time in words', { start_date: 'yesterday' }, undefined],
    ['a time after all times', { start_date: 1e15 }, undefined],
    ['no name', { id: '' }, undefined],
  ])('a subscription with %s', (_, more, items) => {
    expect(() => subscriptionFact(subscription(more, items))).toThrow(refused)
  })
  test.each<[string, object]>([
    ['a negative amount', { amount_due: -1 }],
    ['cents and a half', { amount_paid: 10.5 }],
    ['no number', { amount_due: Number.NaN }],
    ['more than can be counted', { amount_due: 2 ** 60 }],
    ['a currency of its own', { currency: 'gold' }],
    ['lines without a time', { lines: { data: [line({ period: undefined })] } }],
    ['a line without a name', { lines: { data: [line({ id: undefined })] } }],
    ['a line of half a cent', { lines: { data: [line({ amount: 0.5 })] } }],
    ['a line of many', { lines: { data: [line({ quantity: null, quantity_decimal: 'many' })] } }],
    ['a payment that is neither', { payments: { data: [payment('pi_1', { status: 'maybe' })] } }],
    ['a tax in words', { total_taxes: [{ amount: 'a lot' }] }],
    ['lines that are none', { lines: { data: 'all' } }],
  ])('an invoice with %s', (_, more) => {
    expect(() => invoiceFact(invoice(more))).toThrow(refused)
  })
})

describe('a checkout', () => {
  const session = (more: object) =>
    checkoutFact({
      id: 'cs_1',
      status: 'open',
      payment_status: 'unpaid',
      customer: null,
      subscription: null,
      client_reference_id: 'checkout_1',
      metadata: {},
      ...more,
    } as unknown as Stripe.Checkout.Session)
  test.each<[string, object, object]>([
    ['that is open', {}, { state: 'open', paid: false, checkoutId: 'checkout_1' }],
    ['that was paid', { status: 'complete', payment_status: 'paid' }, { state: 'complete', paid: true }],
    [
      'of a trial, with nothing to pay',
      { status: 'complete', payment_status: 'no_payment_required' },
      { state: 'complete', paid: true },
    ],
    ['that is complete while the bank takes its time', { status: 'complete' }, { state: 'complete', paid: false }],
    ['that expired', { status: 'expired' }, { state: 'expired', paid: false }],
    [
      'named by metadata',
      { client_reference_id: null, metadata: { turnpike_checkout: 'checkout_2' } },
      { checkoutId: 'checkout_2' },
    ],
    ['that is not ours', { client_reference_id: null, metadata: null }, { checkoutId: null }],
    [
      'with what it made',
      { customer: { id: 'cus_1' }, subscription: 'sub_1' },
      { providerCustomerId: 'cus_1', providerSubscriptionId: 'sub_1' },
    ],
  ])('%s', (_, more, expected) => {
    expect(session(more)).toMatchObject(expected)
  })
})
