import { createHmac, timingSafeEqual } from 'node:crypto'
import type { PaymentProvider, WebhookHint } from '../../modules/payments/index.ts'

/** Older than this is refused: a recorded request cannot be sent again later (WEB-1). */
export const toleranceSeconds = 300

type Verdict = ReturnType<PaymentProvider['verifyWebhook']>

/**
 * Checks `Stripe-Signature` over the raw bytes against every active secret, in constant time, with an age limit in both
 * directions: the SDK's own check lets times from the future through. Several secrets are active while one is rotated.
 */
export const verifySignature = (
  rawBody: Buffer,
  header: string | string[] | undefined,
  secrets: readonly string[],
  at: Temporal.Instant,
): { ok: true } | { ok: false; refusal: 'missing' | 'malformed' | 'mismatch' | 'too_old' } => {
  if (typeof header !== 'string' || header === '') return { ok: false, refusal: 'missing' }
  const parts = header.split(',').map((part) => part.trim().split('=') as [string, string | undefined])
  const timestamp = parts.find(([name]) => name === 't')?.[1]
  const signatures = parts
    .filter(([name, value]) => name === 'v1' && value !== undefined && /^[0-9a-f]{64}$/.test(value))
    .map(([, value]) => Buffer.from(value!, 'hex'))
  if (timestamp === undefined || !/^\d{1,12}$/.test(timestamp) || signatures.length === 0)
    return { ok: false, refusal: 'malformed' }
  const genuine = secrets.some((secret) => {
    const expected = createHmac('sha256', secret).update(`${timestamp}.`).update(rawBody).digest()
    return signatures.some((signature) => timingSafeEqual(signature, expected))
  })
  if (!genuine) return { ok: false, refusal: 'mismatch' }
  const age = Math.floor(at.epochMilliseconds / 1_000) - Number(timestamp)
  return Math.abs(age) > toleranceSeconds ? { ok: false, refusal: 'too_old' } : { ok: true }
}

/** A genuine webhook as a hint: where to look, nothing to believe. */
export const verifyWebhook = (
  rawBody: Buffer,
  headers: Record<string, string | string[] | undefined>,
  secrets: readonly string[],
  at: Temporal.Instant,
  livemode: boolean,
): Verdict => {
  const signature = verifySignature(rawBody, headers['stripe-signature'], secrets, at)
  if (!signature.ok) return signature
  const hint = hintOf(rawBody, livemode)
  return hint ? { ok: true, hint } : { ok: false, refusal: 'not_an_event' }
}

const hintOf = (rawBody: Buffer, livemode: boolean): WebhookHint | null => {
  let event: unknown
  try {
    event = JSON.parse(rawBody.toString('utf8'))
  } catch {
    return null
  }
  const {
    id,
    type,
    created,
    data,
    livemode: mode,
  } = (event ?? {}) as {
    livemode?: unknown
    id?: unknown
    type?: unknown
    created?: unknown
    data?: { object?: Record<string, unknown>; previous_attributes?: Record<string, unknown> }
  }
  if (!isName(id) || !isName(type)) return null
  const object = data?.object ?? {}
  const isCustomer = object.object === 'customer'
  const providerCustomerId = isCustomer ? nameOf(object.id) : (idOf(object.customer) ?? leftCustomer(data))
  const wrongMode = typeof mode === 'boolean' && mode !== livemode
  const concerns = providerCustomerId === null || wrongMode ? 'nothing' : concernOf(type, object)
  return {
    eventId: id,
    type,
    createdAt: Temporal.Instant.fromEpochMilliseconds(
      typeof created === 'number' && Number.isSafeInteger(created) && Math.abs(created) < 1e11 ? created * 1_000 : 0,
    ),
    objectId: nameOf(object.id),
    providerCustomerId,
    concerns,
    wrongMode,
  }
}

/** A payment method that was taken off says whose it was. */
const leftCustomer = (data: { previous_attributes?: Record<string, unknown> } | undefined): string | null =>
  idOf(data?.previous_attributes?.customer)

const isName = (value: unknown): value is string => typeof value === 'string' && /^[\x21-\x7e]{1,255}$/.test(value)
const nameOf = (value: unknown): string | null => (isName(value) ? value : null)
const idOf = (value: unknown): string | null =>
  value !== null && typeof value === 'object' ? nameOf((value as { id?: unknown }).id) : nameOf(value)

/** Which of our facts an event type can change. Types that tell us nothing are stored as ignored and acknowledged. */
const concernOf = (type: string, object: Record<string, unknown>): WebhookHint['concerns'] => {
  if (type.startsWith('customer.subscription.') || type.startsWith('subscription_schedule.')) return 'subscription'
  // An upcoming invoice has no id and changes nothing.
  if (type === 'invoice.upcoming') return 'nothing'
  if (type.startsWith('invoice.')) return 'invoice'
  if (type.startsWith('checkout.session.')) return 'checkout'
  if (type === 'customer.deleted') return 'customer'
  // One that somebody made at the provider and named our tenant on: those that we made are linked already.
  if (type === 'customer.created' && !namesTenant(object)) return 'nothing'
  // An update of one of ours may have changed which method is its default.
  if (type === 'customer.created' || type === 'customer.updated')
    return namesTenant(object) ? 'customer' : 'payment_method'
  if (type.startsWith('payment_method.')) return 'payment_method'
  if (type.startsWith('credit_note.') || type.startsWith('refund.')) return 'money_back'
  if (type === 'charge.refunded' || type === 'charge.refund.updated') return 'money_back'
  return 'nothing'
}

const namesTenant = ({ metadata }: Record<string, unknown>): boolean => {
  const { turnpike_tenant, turnpike_customer } = (metadata ?? {}) as Record<string, unknown>
  return typeof turnpike_tenant === 'string' && turnpike_customer === undefined
}
