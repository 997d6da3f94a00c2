import { emit } from '../events/emit.ts'
import { newId, randomText } from '../store/ids.ts'
import { save, type Tx } from '../store/transact.ts'
import { mergeMetadata, textOrNull } from './common.ts'
import type { PaymentIntent, SetupIntent } from './types.ts'

type Wanted = {
  amount: number
  currency: string
  customer: string | null
  description?: string | null
  metadata?: unknown
  capture_method?: string
  confirmation_method?: string
  setup_future_usage?: string | null
  payment_method?: string | null
  receipt_email?: string | null
  shipping?: unknown
  invoice?: string | null
  returnUrl?: string | null
  automatic?: boolean
  payment_method_types?: string[]
}

export function createIntent(tx: Tx, wanted: Wanted): PaymentIntent {
  const id = newId('pi')
  const intent: PaymentIntent = {
    id,
    object: 'payment_intent',
    allowed_payment_method_types: null,
    amount: wanted.amount,
    amount_capturable: 0,
    amount_details: { tip: {} },
    amount_received: 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: wanted.automatic ? { allow_redirects: 'always', enabled: true } : null,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: wanted.capture_method ?? 'automatic',
    client_secret: `${id}_secret_${randomText(25)}`,
    confirmation_method: wanted.confirmation_method ?? 'automatic',
    created: tx.now,
    currency: wanted.currency.toLowerCase(),
    customer: wanted.customer,
    customer_account: null,
    description: textOrNull(wanted.description),
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: null,
    metadata: mergeMetadata({}, wanted.metadata),
    next_action: null,
    on_behalf_of: null,
    payment_details: { customer_reference: null, order_reference: wanted.invoice ?? null },
    payment_method: wanted.payment_method ?? null,
    payment_method_configuration_details: null,
    payment_method_options: {
      card: { installments: null, mandate_options: null, network: null, request_three_d_secure: 'automatic' },
    },
    payment_method_types: wanted.payment_method_types ?? ['card'],
    payment_record: null,
    processing: null,
    receipt_email: wanted.receipt_email ?? null,
    review: null,
    setup_future_usage: wanted.setup_future_usage ?? null,
    shipping: wanted.shipping ?? null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: wanted.payment_method ? 'requires_confirmation' : 'requires_payment_method',
    transfer_data: null,
    transfer_group: null,
    _: { invoice: wanted.invoice ?? null, authentication: null, returnUrl: wanted.returnUrl ?? null },
  }
  save(tx, intent)
  emit(tx, 'payment_intent.created', intent)
  return intent
}

export function createSetup(
  tx: Tx,
  wanted: {
    customer: string | null
    payment_method?: string | null
    usage?: string
    description?: string | null
    metadata?: unknown
    returnUrl?: string | null
    automatic?: boolean
  },
): SetupIntent {
  const id = newId('seti')
  const intent: SetupIntent = {
    id,
    object: 'setup_intent',
    allowed_payment_method_types: null,
    application: null,
    automatic_payment_methods: wanted.automatic ? { allow_redirects: 'always', enabled: true } : null,
    cancellation_reason: null,
    client_secret: `${id}_secret_${randomText(30)}`,
    created: tx.now,
    customer: wanted.customer,
    customer_account: null,
    description: textOrNull(wanted.description),
    excluded_payment_method_types: null,
    flow_directions: null,
    last_setup_error: null,
    latest_attempt: null,
    livemode: false,
    mandate: null,
    metadata: mergeMetadata({}, wanted.metadata),
    next_action: null,
    on_behalf_of: null,
    payment_method: wanted.payment_method ?? null,
    payment_method_configuration_details: null,
    payment_method_options: { card: { mandate_options: null, network: null, request_three_d_secure: 'automatic' } },
    payment_method_types: ['card'],
    single_use_mandate: null,
    status: wanted.payment_method ? 'requires_confirmation' : 'requires_payment_method',
    usage: wanted.usage ?? 'off_session',
    _: { authentication: null, returnUrl: wanted.returnUrl ?? null },
  }
  save(tx, intent)
  emit(tx, 'setup_intent.created', intent)
  return intent
}
