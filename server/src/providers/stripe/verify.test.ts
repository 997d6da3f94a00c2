import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { verifySignature, verifyWebhook } from './verify.ts'

const secret = 'whsec_current_secret'
const at = Temporal.Instant.from('2026-01-01T12:00:00.900Z')
const seconds = Math.floor(at.epochMilliseconds / 1_000)
const body = Buffer.from(
  '{"id":"evt_1","type":"invoice.paid","created":1767268800,"data":{"object":{"object":"invoice","id":"in_1","customer":"cus_1"}}}',
)
const sign = (t: number | string = seconds, key = secret, payload: Buffer = body) =>
  createHmac('sha256', key).update(`${t}.`).update(payload).digest('hex')
const header = (t: number | string = seconds, key = secret) => `t=${t},v1=${sign(t, key)}`
const verdict = (value: string | string[] | undefined, secrets = [secret], payload = body) => {
  const result = verifySignature(payload, value, secrets, at)
  return result.ok ? 'ok' : result.refusal
}

test('a signature of the right secret over the raw bytes is genuine', () => {
  expect(verdict(header())).toBe('ok')
})

test('each bit of the signature counts', () => {
  const genuine = Buffer.from(sign(), 'hex')
  for (let bit = 0; bit < genuine.length * 8; bit++) {
    const flipped = Buffer.from(genuine)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    expect(verdict(`t=${seconds},v1=${flipped.toString('hex')}`), `bit ${bit}`).toBe('mismatch')
  }
})

test('each byte of the body counts', () => {
  for (let index = 0; index < body.length; index++) {
    const changed = Buffer.from(body)
    changed[index]! ^= 1
    expect(verdict(header(), [secret], changed), `byte ${index}`).toBe('mismatch')
  }
  expect(verdict(header(), [secret], Buffer.concat([body, Buffer.from(' ')]))).toBe('mismatch')
  expect(verdict(header(), [secret], Buffer.alloc(0))).toBe('mismatch')
})

test('the time is signed too', () => {
  expect(verdict(`t=${seconds - 1},v1=${sign()}`)).toBe('mismatch')
})

describe('age', () => {
  test.each([
    [-300, 'ok'],
    [-301, 'too_old'],
    [300, 'ok'],
    [301, 'too_old'],
    [-36_000_000, 'too_old'],
    [36_000_000, 'too_old'],
  ])('%d seconds: %s', (offset, expected) => {
    expect(verdict(header(seconds + offset))).toBe(expected)
  })

  test('a wrong signature is called wrong, not old', () => {
    expect(verdict(header(seconds - 1_000, 'whsec_of_somebody_else'))).toBe('mismatch')
  })
})

describe('several secrets are active while one is replaced', () => {
  const next = 'whsec_next_secret'
  test.each<[string, string, string[], string]>([
    ['the old one', header(), [next, secret], 'ok'],
    ['the new one', header(seconds, next), [next, secret], 'ok'],
    ['one that was retired', header(seconds, secret), [next], 'mismatch'],
    ['none at all', header(), [], 'mismatch'],
  ])('%s', (_, value, secrets, expected) => {
    expect(verdict(value, secrets)).toBe(expected)
  })

  test('one of several signatures is enough', () => {
    expect(verdict(`t=${seconds},v1=${sign(seconds, next)},v1=${sign()}`)).toBe('ok')
    expect(verdict(`t=${seconds},v1=${'0'.repeat(64)},v1=${sign()}`)).toBe('ok')
  })
})

describe('headers that are none', () => {
  test.each<[string, string | string[] | undefined, string]>([
    ['missing', undefined, 'missing'],
    ['empty', '', 'missing'],
    ['twice', [header(), header()], 'missing'],
    ['words', 'genuine, I promise', 'malformed'],
    ['no time', `v1=${sign()}`, 'malformed'],
    ['no signature', `t=${seconds}`, 'malformed'],
    ['only the old scheme', `t=${seconds},v0=${sign()}`, 'malformed'],
    ['a time in words', `t=now,v1=${sign('now')}`, 'malformed'],
    ['a negative time', `t=-5,v1=${sign('-5')}`, 'malformed'],
    ['a time with a fraction', `t=${seconds}.5,v1=${sign(`${seconds}.5`)}`, 'malformed'],
    ['an endless time', `t=${'9'.repeat(400)},v1=${sign('9'.repeat(400))}`, 'malformed'],
    ['a signature that is too short', `t=${seconds},v1=${sign().slice(2)}`, 'malformed'],
    ['a signature that is too long', `t=${seconds},v1=${sign()}00`, 'malformed'],
    ['a signature in capitals', `t=${seconds},v1=${sign().toUpperCase()}`, 'malformed'],
    ['an empty signature', `t=${seconds},v1=`, 'malformed'],
    ['commas', ',,,,', 'malformed'],
    ['names of JavaScript', `__proto__=1,constructor=2,t=${seconds}`, 'malformed'],
    ['spaces after commas', `t=${seconds}, v1=${sign()}`, 'ok'],
    ['more than we know', `t=${seconds},v1=${sign()},v2=abc,v0=def`, 'ok'],
    ['ten thousand signatures', `t=${seconds},${'v1=00,'.repeat(10_000)}v1=${sign()}`, 'ok'],
  ])('%s', (_, value, expected) => {
    expect(verdict(value)).toBe(expected)
  })

  test('the old scheme beside a wrong signature does not help', () => {
    expect(verdict(`t=${seconds},v1=${'0'.repeat(64)},v0=${sign()}`)).toBe('mismatch')
  })
})

describe('what a genuine webhook tells', () => {
  const hintOf = (event: unknown) => {
    const payload = Buffer.from(typeof event === 'string' ? event : JSON.stringify(event))
    return verifyWebhook(
      payload,
      { 'stripe-signature': `t=${seconds},v1=${sign(seconds, secret, payload)}` },
      [secret],
      at,
      false,
    )
  }
  const event = (type: string, object: Record<string, unknown> | null) => ({
    id: 'evt_1',
    type,
    created: 1_767_268_800,
    data: { object },
  })

  test.each<[string, unknown, object]>([
    [
      'an invoice',
      event('invoice.paid', { id: 'in_1', customer: 'cus_1' }),
      { concerns: 'invoice', objectId: 'in_1', providerCustomerId: 'cus_1' },
    ],
    [
      'a customer that was expanded',
      event('invoice.paid', { id: 'in_1', customer: { id: 'cus_1' } }),
      { providerCustomerId: 'cus_1' },
    ],
    [
      'a subscription',
      event('customer.subscription.updated', { id: 'sub_1', customer: 'cus_1' }),
      { concerns: 'subscription' },
    ],
    [
      'a schedule',
      event('subscription_schedule.released', { id: 'sub_sched_1', customer: 'cus_1' }),
      { concerns: 'subscription' },
    ],
    ['a checkout', event('checkout.session.completed', { id: 'cs_1', customer: 'cus_1' }), { concerns: 'checkout' }],
    [
      'a customer that went',
      event('customer.deleted', { object: 'customer', id: 'cus_1' }),
      { concerns: 'customer', providerCustomerId: 'cus_1' },
    ],
    [
      'an invoice of nobody',
      event('invoice.paid', { id: 'in_1', customer: null }),
      { concerns: 'nothing', providerCustomerId: null },
    ],
    [
      'an upcoming invoice, which has no id',
      event('invoice.upcoming', { customer: 'cus_1' }),
      { concerns: 'nothing', objectId: null },
    ],
    ['a type that says nothing to us', event('payout.paid', { id: 'po_1' }), { concerns: 'nothing' }],
    ['no object', event('invoice.paid', null), { concerns: 'nothing', objectId: null }],
    [
      'a customer with an odd name',
      event('invoice.paid', { id: 'in_1', customer: 'cus 1\u0000' }),
      { concerns: 'nothing', providerCustomerId: null },
    ],
    [
      'a time after all times',
      { ...event('invoice.paid', { id: 'in_1', customer: 'cus_1' }), created: 2 ** 52 },
      { concerns: 'invoice' },
    ],
    [
      'a live event where tests are made',
      { ...event('invoice.paid', { id: 'in_1', customer: 'cus_1' }), livemode: true },
      { concerns: 'nothing', wrongMode: true },
    ],
    [
      'a test event where tests are made',
      { ...event('invoice.paid', { id: 'in_1', customer: 'cus_1' }), livemode: false },
      { concerns: 'invoice', wrongMode: false },
    ],
    [
      'a customer that somebody made for a tenant',
      event('customer.created', { object: 'customer', id: 'cus_1', metadata: { turnpike_tenant: 'ana' } }),
      { concerns: 'customer', providerCustomerId: 'cus_1' },
    ],
    [
      'a customer that we made ourselves',
      event('customer.created', {
        object: 'customer',
        id: 'cus_1',
        metadata: { turnpike_tenant: 'ana', turnpike_customer: 'customer_1' },
      }),
      { concerns: 'nothing' },
    ],
    [
      'a time that is none',
      { ...event('invoice.paid', { id: 'in_1', customer: 'cus_1' }), created: 'soon' },
      { concerns: 'invoice' },
    ],
  ])('%s', (_, given, expected) => {
    expect(hintOf(given)).toMatchObject({ ok: true, hint: { eventId: 'evt_1', ...expected } })
  })

  test.each<[string, unknown]>([
    ['no JSON', 'invoice.paid'],
    ['null', 'null'],
    ['a list', '[]'],
    ['no id', { type: 'invoice.paid' }],
    ['no type', { id: 'evt_1' }],
    ['an id that is a number', { id: 1, type: 'invoice.paid' }],
    ['an id with a NUL character', { id: 'evt_\u0000', type: 'invoice.paid' }],
    ['an id without end', { id: 'x'.repeat(256), type: 'invoice.paid' }],
  ])('%s is no event, however genuine', (_, given) => {
    expect(hintOf(given)).toEqual({ ok: false, refusal: 'not_an_event' })
  })
})
