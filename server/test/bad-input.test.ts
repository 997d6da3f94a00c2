import { createConnection } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { query, sql } from '../src/platform/db.ts'
import { type Answer, type Service, startService } from './support/service.ts'

/** What bad input gets: a clear answer with the documented code, and nothing happened. */

let service: Service
let customerId: string
beforeAll(async () => {
  service = await startService()
  customerId = await service.customer('ana')
})
afterAll(() => service?.stop())

const api = '/api/v1'
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  service.send('POST', `${api}${path}`, { body: typeof body === 'string' ? body : JSON.stringify(body), headers })
const get = (path: string) => service.send('GET', `${api}${path}`)
const brief = ({ status, json }: Answer) => `${status} ${json.code}`
const errorsOf = ({ json }: Answer) => (json.errors ?? []) as { field: string; message: string }[]
const count = async (table: 'usage_records' | 'overrides' | 'customers' | 'api_keys'): Promise<number> => {
  const from = {
    usage_records: sql`select count(*)::int as n from usage_records`,
    overrides: sql`select count(*)::int as n from overrides`,
    customers: sql`select count(*)::int as n from customers`,
    api_keys: sql`select count(*)::int as n from api_keys`,
  }[table]
  return (await query<{ n: number }>(service.app.deps.db, from))[0]!.n
}
let keys = 0
const key = () => `bad-${++keys}`
const record = (more: Record<string, unknown> = {}) => ({
  tenantId: 'ana',
  meter: 'api_calls',
  idempotencyKey: key(),
  ...more,
})

describe('bodies that are no document', () => {
  test.each([
    ['broken off', '{"tenantId":"ana",', '400 malformed_json'],
    ['single quotes', "{'tenantId':'ana'}", '400 malformed_json'],
    ['a comma too many', '{"tenantId":"ana",}', '400 malformed_json'],
    ['NaN', '{"quantity":NaN}', '400 malformed_json'],
    ['two documents', '{}\n{}', '400 malformed_json'],
    ['a byte order mark alone', '\ufeff', '400 malformed_json'],
    ['a __proto__ key', '{"tenantId":"ana","__proto__":{"role":"operator"}}', '400 malformed_json'],
    ['a __proto__ key deep inside', '{"records":[{"properties":{"__proto__":1}}]}', '400 malformed_json'],
    ['an escaped __proto__ key', '{"\\u005f\\u005fproto__":{"role":"operator"}}', '400 malformed_json'],
    ['a constructor with a prototype', '{"constructor":{"prototype":{"role":"operator"}}}', '400 malformed_json'],
    ['an escaped NUL', '{"tenantId":"ana","meter":"api\\u0000calls"}', '400 invalid_request'],
    ['a raw NUL', '{"tenantId":"ana","meter":"api\u0000calls"}', '400 invalid_request'],
    ['nesting without end', '['.repeat(120_000) + ']'.repeat(120_000), '400 invalid_request'],
    ['objects without end', `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`, '400 invalid_request'],
    ['a list', '[]', '400 invalid_request'],
    ['null', 'null', '400 invalid_request'],
    ['nothing', '', '400 invalid_request'],
  ])('%s', async (_, body, expected) => {
    const before = await count('usage_records')
    expect(brief(await post('/usage-records', body))).toBe(expected)
    expect(brief(await post('/entitlements/check', body))).toBe(expected)
    expect(await count('usage_records')).toBe(before)
  })

  test('nesting inside a field of any content', async () => {
    const deep = '['.repeat(60_000) + ']'.repeat(60_000)
    const artifact = `{"baseHash":"","targetHash":"","changes":[{"kind":"add","object":"plan","key":"x","sentence":"","before":${deep},"after":null}],"affectedCustomers":[],"recurringRevenueDelta":[],"losses":[],"blocked":false}`
    for (const headers of [{ 'idempotency-key': key() }, {}] as Record<string, string>[])
      expect(brief(await post('/catalog/apply', `{"source":"x","artifact":${artifact}}`, headers))).toBe(
        '400 invalid_request',
      )
  })

  test('a catalog of aliases of aliases is read as a mistake, not for ever', async () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]']
    for (let n = 1; n < 12; n++)
      lines.push(
        `a${n}: &a${n} [${Array(9)
          .fill(`*a${n - 1}`)
          .join(', ')}]`,
      )
    const answer = await post('/catalog/validate', { source: lines.join('\n') })
    expect(answer.status).toBe(200)
    expect(answer.json.data).toMatchObject({ valid: false })
  })

  test.each([
    ['half a surrogate pair', '{"name":"a\\ud800"}'],
    ['the other half', '{"name":"\\uDC00b"}'],
    ['halves in the wrong order', '{"name":"\\udc00\\ud800"}'],
    ['half a pair in a key', '{"\\ud83d":1}'],
  ])('%s', async (_, body) => {
    const answer = await service.send('PATCH', `${api}/customers/${customerId}`, { body })
    expect(brief(answer)).toBe('400 invalid_request')
    expect(errorsOf(answer)[0]!.message).toBe('contains half a surrogate pair')
  })

  test('whole pairs, escaped or not, are text like any other', async () => {
    const answer = await service.send('PATCH', `${api}/customers/${customerId}`, {
      body: '{"name":"\\ud83d\\ude00😀"}',
    })
    expect(answer.json.data).toMatchObject({ name: '😀😀' })
  })

  test('of two fields with one name the last counts, for every reader alike', async () => {
    const answer = await post(
      '/usage-records',
      `{"tenantId":"ana","meter":"tokens","quantity":1,"quantity":7,"idempotencyKey":"${key()}"}`,
    )
    expect(answer.json.data).toMatchObject({ accepted: 1, outcomes: [{ used: 7 }] })
  })

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json-patch+json',
    'application/jsonx',
  ])('content type %s', async (type) => {
    expect(brief(await post('/usage-records', record(), { 'content-type': type }))).toBe('415 media_type_unsupported')
  })

  test('content type with a character set', async () => {
    expect((await post('/usage-records', record(), { 'content-type': 'application/json; charset=utf-8' })).status).toBe(
      200,
    )
  })

  test.each(['/usage-records', '/entitlements/check', '/catalog/apply', '/billing/webhooks/stripe'])(
    '10 MB to %s',
    async (path) => {
      const answer = await post(path, `{"padding":"${'x'.repeat(10 * 1024 * 1024)}"}`)
      expect(brief(answer)).toBe('413 body_too_large')
    },
  )

  test('a stranger is turned away before the body is looked at', async () => {
    const response = await fetch(`${service.app.url}${api}/usage-records`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"this is": not JSON',
    })
    expect(response.status).toBe(401)
  })

  test('10 MB that do not say how long they are', async () => {
    const piece = new TextEncoder().encode('x'.repeat(64 * 1024))
    let sent = 0
    const response = await fetch(`${service.app.url}${api}/usage-records`, {
      method: 'POST',
      headers: { authorization: `Bearer ${service.operatorKey}`, 'content-type': 'application/json' },
      body: new ReadableStream({
        pull: (stream) => (sent++ < 160 ? stream.enqueue(piece) : stream.close()),
      }),
      duplex: 'half',
    } as RequestInit).catch((error: unknown) => error)
    // Either the answer came, or the connection was closed on the sender: nothing was kept of it.
    if (response instanceof Response) expect(response.status).toBe(413)
    expect((await get('/usage?tenantId=ana')).status).toBe(200)
  })
})

describe('addresses', () => {
  test.each([
    ['NUL in the path', '/customers/a%00b', '400 invalid_request'],
    ['NUL in the query', '/customers?search=a%00b', '400 invalid_request'],
    ['bytes that are no text', '/customers/%ff', '400 invalid_request'],
    ['a percent sign alone', '/customers/%', '400 invalid_request'],
    ['an endless id', `/customers/${'x'.repeat(2_000)}`, '404 not_found'],
    ['an id of another kind', '/customers/subscription_01m7yc7hcee04s4sp7p6snsgbp', '404 not_found'],
    ['an address that nobody has', '/nothing', '404 not_found'],
    ['a name of JavaScript', '/customers/__proto__', '404 not_found'],
    ['a number that is none', '/customers?limit=many', '400 invalid_request'],
    ['a limit of 0', '/customers?limit=0', '400 invalid_request'],
    ['a limit too high', '/customers?limit=201', '400 invalid_request'],
    ['a field twice', '/customers?limit=1&limit=2', '400 invalid_request'],
    ['an unknown field', '/customers?surprise=1', '400 invalid_request'],
    ['a field with the name of JavaScript', '/customers?__proto__=1', '400 invalid_request'],
    ['a position beyond all numbers', '/events?after=99999999999999999999', '400 invalid_request'],
    ['a position that is none', '/events?after=abc', '400 invalid_request'],
    ['a webhook that is no number', '/webhooks/inbox?cursor=%27', '400 invalid_request'],
    ['no tenant for a key of the house', '/billing/status', '400 tenant_required'],
    ['a tenant with a line break', '/billing/status?tenantId=a%0Ab', '400 invalid_request'],
    ['a tenant that nobody is', '/billing/status?tenantId=nobody', '404 not_found'],
    ['a tenant with the name of JavaScript', '/usage?tenantId=constructor', '404 not_found'],
  ])('%s', async (_, path, expected) => {
    const answer = await get(path)
    expect(brief(answer)).toBe(expected)
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  })

  const cursorOf = (place: unknown) => Buffer.from(JSON.stringify(place)).toString('base64url')
  test.each([
    ['no JSON', 'abc'],
    ['another shape', cursorOf({ x: 1 })],
    ['a NUL character', cursorOf({ at: '2026-01-01T00:00:00Z', tenantId: 'a\u0000', id: 'a\u0000' })],
    ['a time that is none', cursorOf({ at: 'Mon Jan 5', tenantId: 'a', id: 'a' })],
    ['a time that the database cannot hold', cursorOf({ at: '0000-01-01T00:00:00Z', tenantId: 'a', id: 'a' })],
    ['half a surrogate pair', cursorOf({ at: '2026-01-01T00:00:00Z', tenantId: '\ud800', id: '\ud800' })],
    ['null', cursorOf(null)],
    ['a number', cursorOf(5)],
    ['a number beyond all numbers', cursorOf('9'.repeat(30))],
  ])('a cursor that somebody made up, %s, begins the list anew', async (_, cursor) => {
    for (const list of [
      '/customers',
      `/customers/${customerId}/timeline`,
      '/audit',
      '/webhooks/inbox',
      '/gateway/snapshot',
    ]) {
      const answer = await service.send('GET', `${api}${list}?cursor=${cursor}`, {
        ...(list === '/gateway/snapshot' ? { key: await service.keyOf('gateway') } : {}),
      })
      expect(answer.status, answer.text).toBe(200)
    }
  })

  test('a cursor of ours goes on where the page before ended', async () => {
    await service.customer('page-1')
    await service.customer('page-2')
    const seen: string[] = []
    for await (const customer of service.operator.paginate('listCustomers', { query: { limit: 1 } }))
      seen.push(customer.tenantId)
    expect(seen).toEqual(['page-2', 'page-1', 'ana'])
    const entries: string[] = []
    for await (const entry of service.operator.paginate('getTimeline', { params: { customerId }, query: { limit: 2 } }))
      entries.push(entry.id)
    expect(entries.length).toBeGreaterThan(3)
    expect(new Set(entries).size).toBe(entries.length)
  })

  test('a request line that is no HTTP ends the connection and nothing else', async () => {
    const { port, hostname } = new URL(service.app.url)
    const said = await new Promise<string>((resolve) => {
      let text = ''
      const socket = createConnection(Number(port), hostname, () => socket.write('NONSENSE\r\n\r\n'))
      socket.on('data', (chunk) => {
        text += chunk
      })
      socket.on('close', () => resolve(text))
      socket.on('error', () => resolve(text))
    })
    expect(said).toMatch(/^HTTP\/1\.1 400 /)
    expect((await service.send('GET', '/health/live', { key: null })).status).toBe(200)
  })
})

describe('times', () => {
  test.each([
    ['later than now', '2999-01-01T00:00:00Z', '422 time_out_of_range'],
    ['before the customer existed', '1999-01-01T00:00:00Z', '422 time_out_of_range'],
    ['the year 0', '0000-01-01T00:00:00Z', '422 time_out_of_range'],
    ['the year 10000 in UTC', '9999-12-31T23:59:59-23:00', '422 time_out_of_range'],
    ['a day that no month has', '2026-02-30T00:00:00Z', '400 invalid_request'],
    ['without an offset', '2026-01-01T00:00:00', '400 invalid_request'],
    ['a date alone', '2026-01-01', '400 invalid_request'],
    ['no time', 'yesterday', '400 invalid_request'],
  ])('a snapshot %s', async (_, at, expected) => {
    expect(brief(await get(`/entitlements?tenantId=ana&at=${encodeURIComponent(at)}`))).toBe(expected)
    expect(brief(await get(`/entitlements/sso/explain?tenantId=ana&at=${encodeURIComponent(at)}`))).toBe(expected)
  })

  const local = (at: Temporal.Instant) => at.toString().slice(0, 19)
  const wrongTimes: [name: string, at: (now: Temporal.Instant) => string, code: string][] = [
    ['a day after our clock', (now) => now.add({ hours: 24 }).toString(), 'time_in_future'],
    ['a little more than 300 seconds ahead', (now) => now.add({ seconds: 303 }).toString(), 'time_in_future'],
    ['36 days late', (now) => now.subtract({ hours: 36 * 24 }).toString(), 'time_too_old'],
    ['the year 1', () => '0001-01-01T00:00:00Z', 'time_too_old'],
    ['the year 0', () => '0000-01-01T00:00:00Z', 'time_too_old'],
    ['the last of all years', () => '9999-12-31T23:59:59-23:00', 'time_in_future'],
    ['a day that no month has', (now) => `${local(now).slice(0, 4)}-11-31T00:00:00Z`, 'time_invalid'],
    ['an hour that no day has', (now) => `${local(now).slice(0, 10)}T25:00:00Z`, 'time_invalid'],
    ['without an offset', local, 'time_invalid'],
    ['an offset that no place has', (now) => `${local(now)}+99:00`, 'time_invalid'],
    ['no time', () => 'yesterday', 'time_invalid'],
    ['nothing', () => '', 'time_invalid'],
  ]
  test.each(wrongTimes)('usage %s', async (_, at, code) => {
    const wrong = () => record({ at: at(service.clock.now()) })
    const single = await post('/usage-records', wrong())
    expect(brief(single)).toBe('422 time_out_of_range')
    expect(single.json.usageCode).toBe(code)
    expect(errorsOf(single)[0]!.field).toBe('at')
    const batch = await post('/usage-records', { records: [wrong(), record()] })
    expect(batch.json.data).toMatchObject({
      accepted: 1,
      invalid: 1,
      outcomes: [{ status: 'invalid', code }, { status: 'accepted' }],
    })
  })

  const rightTimes: [name: string, at: (now: Temporal.Instant) => string][] = [
    ['almost 300 seconds ahead', (now) => now.add({ seconds: 299 }).toString()],
    ['34 days late', (now) => now.subtract({ hours: 34 * 24 }).toString()],
    ['with an offset', (now) => `${local(now)}+00:00`],
  ]
  test.each(rightTimes)('usage %s is counted', async (_, at) => {
    const answer = await post('/usage-records', record({ at: at(service.clock.now()) }))
    expect(answer.json.data).toMatchObject({ accepted: 1 })
  })

  test.each([
    ['in the past', '2020-01-01T00:00:00Z'],
    ['in a year that the database cannot hold', '9999-12-31T23:59:59-23:00'],
  ])('an end %s', async (_, expiresAt) => {
    const override = { tenantId: 'ana', feature: 'sso', set: { enabled: true }, reason: 'A test', expiresAt }
    expect(brief(await post('/entitlements/overrides', override))).toBe('422 override_invalid')
    expect(brief(await post('/api-keys', { name: 'x', role: 'service', expiresAt }))).toBe('400 invalid_request')
  })
})

describe('quantities', () => {
  test.each([
    ['negative', -1, 'quantity_negative', '422 quantity_invalid'],
    ['a negative fraction', -0.5, 'quantity_negative', '422 quantity_invalid'],
    ['a fraction of a whole unit', 1.5, 'quantity_not_whole', '422 quantity_invalid'],
    ['seven decimals', 0.1234567, 'quantity_out_of_range', '422 quantity_invalid'],
    ['sixteen digits', 1e15, 'quantity_out_of_range', '422 quantity_invalid'],
    ['beyond whole numbers', 1e21, 'quantity_out_of_range', '422 quantity_invalid'],
    ['almost nothing', 1e-9, 'quantity_out_of_range', '422 quantity_invalid'],
    ['a text', '5', 'invalid_record', '400 invalid_request'],
    ['null', null, 'invalid_record', '400 invalid_request'],
    ['a list', [1], 'invalid_record', '400 invalid_request'],
    ['true', true, 'invalid_record', '400 invalid_request'],
  ])('%s', async (_, quantity, code, expected) => {
    const before = await count('usage_records')
    const single = await post('/usage-records', record({ quantity }))
    expect(brief(single)).toBe(expected)
    if (code !== 'invalid_record')
      expect(single.json).toMatchObject({ usageCode: code, errors: [{ field: 'quantity' }] })
    const batch = await post('/usage-records', { records: [record({ quantity })] })
    expect(batch.json.data).toMatchObject({
      accepted: 0,
      invalid: 1,
      allowed: false,
      outcomes: [{ code, allowed: false }],
    })
    expect(brief(await post('/entitlements/check', { tenantId: 'ana', feature: 'api_calls', quantity }))).toBe(
      code === 'quantity_not_whole' ? '200 undefined' : expected,
    )
    expect(
      brief(
        await post('/entitlements/check', {
          tenantId: 'ana',
          feature: 'api_calls',
          quantity,
          consume: true,
          idempotencyKey: key(),
        }),
      ),
    ).toBe(expected)
    expect(await count('usage_records')).toBe(before)
  })

  test('a number that JSON can write and nobody can count', async () => {
    const answer = await post(
      '/usage-records',
      `{"tenantId":"ana","meter":"api_calls","quantity":1e400,"idempotencyKey":"${key()}"}`,
    )
    expect(brief(answer)).toBe('422 quantity_invalid')
  })

  test('nothing at all is a quantity', async () => {
    for (const quantity of [0, -0])
      expect((await post('/usage-records', record({ quantity }))).json.data).toMatchObject({ accepted: 1 })
  })
})

describe('names', () => {
  test.each([
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'no_such_thing',
    'API_CALLS',
    '',
    'a b',
    'x'.repeat(64),
  ])('%s is no meter, feature, plan, price, product or add-on', async (name) => {
    // What cannot be a name of the catalog at all does not fit; what could be is unknown.
    const isName = /^[a-z][a-z0-9_]{0,62}$/.test(name)
    const answers = (code: string) => (isName ? code : '400 invalid_request')
    expect(brief(await post('/usage-records', record({ meter: name })))).toBe(answers('422 meter_unknown'))
    expect((await post('/usage-records', { records: [record({ meter: name })] })).json.data).toMatchObject({
      outcomes: [{ code: isName ? 'meter_unknown' : 'invalid_record' }],
    })
    const check = { tenantId: 'ana', feature: name }
    expect(brief(await post('/entitlements/check', check))).toBe(answers('422 feature_unknown'))
    expect(brief(await post('/entitlements/check', { ...check, consume: true, idempotencyKey: key() }))).toBe(
      answers('422 feature_unknown'),
    )
    expect(brief(await post('/entitlements/overrides', { ...check, set: { enabled: true }, reason: 'A test' }))).toBe(
      answers('422 feature_unknown'),
    )
    if (name !== '')
      expect(brief(await get(`/entitlements/${encodeURIComponent(name)}/explain?tenantId=ana`))).toBe(
        '422 feature_unknown',
      )
    const session = (selection: Record<string, unknown>) => post('/billing/session', { tenantId: 'ana', ...selection })
    expect(brief(await session({ plan: name }))).toBe(answers('422 plan_unknown'))
    expect(brief(await session({ plan: 'pro', price: name }))).toBe(answers('422 plan_unknown'))
    expect(brief(await session({ kind: 'product', product: name }))).toBe(answers('422 plan_unknown'))
    expect(brief(await session({ plan: 'pro', addOns: [{ addOn: name, quantity: 1 }] }))).toBe(
      answers('422 plan_unknown'),
    )
  })

  test.each([
    ['a plan that is not offered any more', { plan: 'classic' }, '409 plan_not_available'],
    ['the free plan', { plan: 'free' }, '409 plan_not_available'],
    ['a currency that it is not sold in', { plan: 'pro', currency: 'JPY' }, '409 plan_not_available'],
    ['more seats than there may be', { plan: 'pro', seats: 51 }, '409 plan_not_available'],
    ['seats of a plan without seats', { plan: 'starter', seats: 2 }, '409 plan_not_available'],
    ['no seats', { plan: 'pro', seats: 0 }, '400 invalid_request'],
    [
      'an add-on of another plan',
      { plan: 'starter', addOns: [{ addOn: 'call_pack', quantity: 1 }] },
      '409 plan_not_available',
    ],
    ['nothing', {}, '422 plan_unknown'],
    ['a return to somewhere else', { plan: 'pro', returnUrl: 'https://evil.example/' }, '422 return_url_not_allowed'],
    [
      'a return to a look-alike',
      { plan: 'pro', returnUrl: 'http://127.0.0.1:4000.evil.example/' },
      '422 return_url_not_allowed',
    ],
    [
      'a return with a name before it',
      { plan: 'pro', returnUrl: 'http://127.0.0.1:4000@evil.example/' },
      '422 return_url_not_allowed',
    ],
    [
      'a return with a password',
      { plan: 'pro', returnUrl: 'http://a:b@127.0.0.1:4000/' },
      '422 return_url_not_allowed',
    ],
    ['a return to a script', { plan: 'pro', returnUrl: 'javascript:alert(1)' }, '400 invalid_request'],
    ['a cancel address elsewhere', { plan: 'pro', cancelUrl: 'https://evil.example/' }, '422 return_url_not_allowed'],
  ])('a checkout for %s', async (_, selection, expected) => {
    expect(brief(await post('/billing/session', { tenantId: 'ana', ...selection }))).toBe(expected)
  })

  test.each([
    ['a limit that is no whole number', { feature: 'api_calls', set: { limit: 1.5 } }],
    ['a limit beyond counting', { feature: 'api_calls', set: { limit: 1e300 } }],
    ['a value beyond counting', { feature: 'projects', set: { value: 1e308 } }],
    ['a value of another type', { feature: 'projects', set: { value: 'many' } }],
    ['a switch for a limit', { feature: 'api_calls', set: { enabled: true } }],
    ['a limit for a switch', { feature: 'sso', set: { limit: 5 } }],
  ])('an override with %s is refused and breaks nothing', async (_, override) => {
    expect(brief(await post('/entitlements/overrides', { tenantId: 'ana', reason: 'A test', ...override }))).toBe(
      '422 override_invalid',
    )
    expect((await post('/entitlements/check', { tenantId: 'ana', feature: override.feature })).status).toBe(200)
  })
})

describe('usage records', () => {
  test.each([
    ['no records', { records: [] }],
    ['1,001 records', { records: Array.from({ length: 1_001 }, () => record()) }],
    ['records that are no list', { records: { 0: record() } }],
    ['records and more', { records: [record()], tenantId: 'ana' }],
  ])('%s', async (_, body) => {
    const before = await count('usage_records')
    expect(brief(await post('/usage-records', body))).toBe('400 invalid_request')
    expect(await count('usage_records')).toBe(before)
  })

  test.each([
    ['no key', { idempotencyKey: undefined }],
    ['an empty key', { idempotencyKey: '' }],
    ['a key with a space', { idempotencyKey: 'a b' }],
    ['a key of 256 characters', { idempotencyKey: 'x'.repeat(256) }],
    ['an unknown field', { price: 5 }],
    ['a service with a line break', { service: 'a\nb' }],
    ['21 properties', { properties: Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`p${n}`, n])) }],
    ['a property with a structure', { properties: { a: { b: 1 } } }],
    ['a property with an odd name', { properties: { 'a b': 1 } }],
    ['a tenant that cannot be one', { tenantId: '../etc' }],
  ])('%s: a single record is a problem, one of a batch costs the others nothing', async (_, more) => {
    expect(brief(await post('/usage-records', record(more)))).toBe('400 invalid_request')
    const batch = await post('/usage-records', { records: [record(), record(more), record()] })
    expect(batch.status).toBe(200)
    expect(batch.json.data).toMatchObject({
      accepted: 2,
      invalid: 1,
      outcomes: [
        { status: 'accepted' },
        { index: 1, status: 'invalid', code: 'invalid_record' },
        { status: 'accepted' },
      ],
    })
  })

  test('things in a batch that are no records', async () => {
    const records = [null, 5, 'x', [], [[]], {}, true, { idempotencyKey: { toString: 'x' } }]
    expect((await post('/usage-records', { records })).json.data).toMatchObject({
      accepted: 0,
      invalid: records.length,
    })
  })

  test('a tenant that nobody is', async () => {
    expect(brief(await post('/usage-records', record({ tenantId: 'nobody' })))).toBe('404 not_found')
    expect((await post('/usage-records', { records: [record({ tenantId: 'nobody' })] })).json.data).toMatchObject({
      outcomes: [{ code: 'customer_unknown' }],
    })
  })

  test('no tenant from a key of the house', async () => {
    expect(brief(await post('/usage-records', record({ tenantId: undefined })))).toBe('400 tenant_required')
    expect((await post('/usage-records', { records: [record({ tenantId: undefined })] })).json.data).toMatchObject({
      outcomes: [{ code: 'tenant_required' }],
    })
  })

  test('a key with another body is refused, with the same body it is the first answer', async () => {
    const first = record({ quantity: 3, properties: { a: 1, b: 'x' } })
    const answer = await post('/usage-records', first)
    const used = (answer.json.data as { outcomes: { used: number }[] }).outcomes[0]!.used
    const repeat = await post('/usage-records', { ...first, properties: { b: 'x', a: 1 } })
    expect(repeat.json.data).toMatchObject({ duplicates: 1, accepted: 0, outcomes: [{ used, allowed: true }] })
    for (const other of [{ quantity: 4 }, { meter: 'tokens' }, { properties: { a: 2 } }, { service: 'another' }]) {
      expect(brief(await post('/usage-records', { ...first, ...other }))).toBe('409 idempotency_key_reused')
      expect((await post('/usage-records', { records: [{ ...first, ...other }] })).json.data).toMatchObject({
        outcomes: [{ status: 'invalid', code: 'idempotency_key_reused' }],
      })
    }
  })

  test('one key for two meters at the same moment: one is counted, the other is told so', async () => {
    for (let round = 0; round < 10; round++) {
      const idempotencyKey = key()
      const answers = await Promise.all(
        ['api_calls', 'tokens', 'api_calls', 'tokens'].map((meter) =>
          post('/usage-records', record({ meter, idempotencyKey })),
        ),
      )
      expect(answers.filter((answer) => answer.status === 409).map(brief)).toEqual([
        '409 idempotency_key_reused',
        '409 idempotency_key_reused',
      ])
      expect(answers.filter((answer) => answer.status === 200)).toHaveLength(2)
    }
  })
})

describe('checks', () => {
  test.each([
    ['neither feature nor features', { tenantId: 'ana' }, '400 invalid_request'],
    ['both', { tenantId: 'ana', feature: 'sso', features: ['sso'] }, '400 invalid_request'],
    ['no features', { tenantId: 'ana', features: [] }, '400 invalid_request'],
    ['a feature twice', { tenantId: 'ana', features: ['sso', 'sso'] }, '400 invalid_request'],
    [
      '51 features',
      { tenantId: 'ana', features: Array.from({ length: 51 }, (_, n) => `f${n}`) },
      '400 invalid_request',
    ],
    ['an unknown one among known ones', { tenantId: 'ana', features: ['sso', 'no_such'] }, '422 feature_unknown'],
    ['consuming without a key', { tenantId: 'ana', feature: 'api_calls', consume: true }, '400 invalid_request'],
    [
      'consuming what is not metered',
      { tenantId: 'ana', feature: 'sso', consume: true, idempotencyKey: 'k' },
      '400 invalid_request',
    ],
    [
      'consuming half a unit',
      { tenantId: 'ana', feature: 'api_calls', consume: true, quantity: 0.5, idempotencyKey: 'k' },
      '422 quantity_invalid',
    ],
    ['an unknown tenant', { tenantId: 'nobody', feature: 'sso' }, '404 not_found'],
    ['no tenant', { feature: 'sso' }, '400 tenant_required'],
  ])('%s', async (_, body, expected) => {
    expect(brief(await post('/entitlements/check', body))).toBe(expected)
  })
})

describe('the Idempotency-Key', () => {
  const override = (more: Record<string, unknown> = {}) => ({
    tenantId: 'ana',
    feature: 'audit_log',
    set: { enabled: true },
    reason: 'A test',
    ...more,
  })

  test.each([
    ['empty', ''],
    ['with a space', 'a b'],
    ['of 256 characters', 'x'.repeat(256)],
    ['with letters beyond ASCII', 'schl\u00fcssel'],
  ])('%s', async (_, value) => {
    const before = await count('overrides')
    expect(brief(await post('/entitlements/overrides', override(), { 'idempotency-key': value }))).toBe(
      '400 idempotency_key_invalid',
    )
    expect(await count('overrides')).toBe(before)
  })

  test('a repeat gets the first answer and has no second effect', async () => {
    const headers = { 'idempotency-key': key() }
    const before = await count('overrides')
    const first = await post('/entitlements/overrides', override(), headers)
    expect(first.status).toBe(201)
    const repeat = await post('/entitlements/overrides', override(), headers)
    expect(repeat.status).toBe(201)
    expect(repeat.text).toBe(first.text)
    expect(repeat.headers.get('idempotent-replayed')).toBe('true')
    expect(await count('overrides')).toBe(before + 1)
  })

  test('with another body, or at another address, it was used before', async () => {
    const headers = { 'idempotency-key': key() }
    await post('/entitlements/overrides', override(), headers)
    expect(brief(await post('/entitlements/overrides', override({ reason: 'Another' }), headers))).toBe(
      '409 idempotency_key_reused',
    )
    expect(brief(await post('/customers', { tenantId: 'someone', name: 'Someone' }, headers))).toBe(
      '409 idempotency_key_reused',
    )
  })

  test('belongs to its credential: another one may use the same', async () => {
    const headers = { 'idempotency-key': key() }
    const first = await post('/entitlements/overrides', override(), headers)
    const second = await service.send('POST', `${api}/entitlements/overrides`, {
      body: JSON.stringify(override()),
      headers,
      key: await service.keyOf('support'),
    })
    expect(second.status).toBe(201)
    expect((second.json.data as { id: string }).id).not.toBe((first.json.data as { id: string }).id)
  })

  test('of a request that failed may be used again for the corrected one of the same content', async () => {
    const headers = { 'idempotency-key': key() }
    const late = { tenantId: 'late', name: 'Late' }
    await post('/customers', late)
    expect(brief(await post('/customers', late, headers))).toBe('409 customer_exists')
    expect(brief(await post('/customers', late, headers))).toBe('409 customer_exists')
  })

  test('50 at once: one effect, and everybody gets its answer or is told to wait', async () => {
    const before = await count('overrides')
    const headers = { 'idempotency-key': key() }
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => post('/entitlements/overrides', override(), headers)),
    )
    const done = answers.filter((answer) => answer.status === 201)
    expect(done.length).toBeGreaterThan(0)
    expect(new Set(done.map((answer) => answer.text)).size).toBe(1)
    for (const answer of answers) if (answer.status !== 201) expect(brief(answer)).toBe('409 idempotency_key_in_use')
    expect(await count('overrides')).toBe(before + 1)
    expect((await post('/entitlements/overrides', override(), headers)).text).toBe(done[0]!.text)
  })

  test('50 customers of one tenant at once, each with its own key: one customer', async () => {
    const before = await count('customers')
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        post('/customers', { tenantId: 'rush', name: `Rush ${n}` }, { 'idempotency-key': key() }),
      ),
    )
    expect(answers.map(brief).sort()).toEqual(['201 undefined', ...Array(49).fill('409 customer_exists')])
    expect(await count('customers')).toBe(before + 1)
  })

  test('keeps no secret: the repeat of a new API key does not show it again', async () => {
    const headers = { 'idempotency-key': key() }
    const before = await count('api_keys')
    const first = await post('/api-keys', { name: 'once', role: 'service' }, headers)
    const repeat = await post('/api-keys', { name: 'once', role: 'service' }, headers)
    const secret = (first.json.data as { key: string }).key
    expect(secret).toMatch(/^tpk_/)
    expect(repeat.json.data).toMatchObject({ key: '(shown once)', id: (first.json.data as { id: string }).id })
    expect(await count('api_keys')).toBe(before + 1)
    const kept = await query(service.app.deps.db, sql`select from idempotency_keys where answer like ${`%${secret}%`}`)
    expect(kept).toEqual([])
  })
})

describe('unknown fields in what is nested', () => {
  test.each([
    [
      'an override',
      '/entitlements/overrides',
      { tenantId: 'ana', feature: 'sso', set: { enabled: true, surprise: 1 }, reason: 'A test' },
    ],
    [
      'a checkout',
      '/billing/session',
      { tenantId: 'ana', plan: 'pro', addOns: [{ addOn: 'call_pack', quantity: 1, price: 0 }] },
    ],
    ['an API key', '/api-keys', { name: 'x', role: 'service', admin: true }],
    ['a customer', '/customers', { tenantId: 'x', name: 'X', credit: 5 }],
  ])('%s', async (_, path, body) => {
    expect(brief(await post(path, body))).toBe('400 invalid_request')
  })
})
