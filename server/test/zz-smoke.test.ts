import { expect, test } from 'vitest'
import { startService } from './support/service.ts'

test('smoke', async () => {
  const t = performance.now()
  const s = await startService()
  console.log('start', performance.now() - t)
  const id = await s.customer('ana')
  const probe = async (m: string, p: string, r: object = {}) => {
    const a = await s.send(m, `/api/v1${p}`, r)
    console.log(
      m,
      p.slice(0, 80),
      JSON.stringify(r).slice(0, 120),
      '→',
      a.status,
      a.headers.get('content-type'),
      a.text.slice(0, 260),
    )
  }
  await probe('GET', '/customers/%ff')
  await probe('GET', `/customers/${'x'.repeat(300)}`)
  await probe('GET', '/customers/a%00b')
  await probe(
    'GET',
    '/customers?cursor=' + Buffer.from(JSON.stringify({ at: 'Mon Jan 5', tenantId: 'x' })).toString('base64url'),
  )
  await probe(
    'GET',
    '/customers?cursor=' + Buffer.from(JSON.stringify({ at: '2026-01-01', tenantId: 'x\u0000' })).toString('base64url'),
  )
  await probe('GET', '/customers?cursor=abc')
  await probe('PATCH', `/customers/${id}`, { body: '{"name":"a\\ud800"}' })
  await probe('GET', '/entitlements?tenantId=ana&at=0000-01-01T00:00:00Z')
  await probe('GET', '/entitlements?tenantId=ana&at=9999-12-31T23:59:59-23:00')
  await probe('GET', '/entitlements?tenantId=ana&at=2026-02-30T00:00:00Z')
  await probe('POST', '/entitlements/overrides', {
    body: JSON.stringify({
      tenantId: 'ana',
      feature: 'sso',
      set: { enabled: true },
      reason: 'test',
      expiresAt: '9999-12-31T23:59:59-23:00',
    }),
  })
  await probe('POST', '/entitlements/overrides', {
    body: JSON.stringify({ tenantId: 'ana', feature: 'constructor', set: { enabled: true }, reason: 'test' }),
  })
  await probe('POST', '/entitlements/overrides', {
    body: JSON.stringify({ tenantId: 'ana', feature: 'api_calls', set: { limit: 1.5 }, reason: 'test' }),
  })
  await probe('POST', '/entitlements/check', { body: JSON.stringify({ tenantId: 'ana', feature: 'api_calls' }) })
  await probe('POST', '/entitlements/overrides', {
    body: JSON.stringify({ tenantId: 'ana', feature: 'api_calls', set: { limit: 1e300 }, reason: 'test' }),
  })
  await probe('POST', '/entitlements/check', { body: JSON.stringify({ tenantId: 'ana', feature: 'api_calls' }) })
  await probe('POST', '/entitlements/overrides', {
    body: JSON.stringify({ tenantId: 'ana', feature: 'projects', set: { value: 1e300 }, reason: 'test' }),
  })
  await probe('POST', '/entitlements/check', { body: JSON.stringify({ tenantId: 'ana', feature: 'projects' }) })
  await probe('POST', '/billing/session', {
    body: JSON.stringify({ tenantId: 'ana', kind: 'product', product: 'constructor' }),
  })
  await probe('POST', '/billing/session', { body: JSON.stringify({ tenantId: 'ana', plan: 'constructor' }) })
  await probe('POST', '/billing/session', {
    body: JSON.stringify({ tenantId: 'ana', plan: 'pro', price: 'constructor' }),
  })
  await probe('POST', '/billing/session', {
    body: JSON.stringify({ tenantId: 'ana', plan: 'pro', addOns: [{ addOn: 'constructor', quantity: 1 }] }),
  })
  await probe('POST', '/billing/session', { body: JSON.stringify({ tenantId: 'ana', plan: 'pro' }) })
  await probe('POST', '/catalog/validate', { body: JSON.stringify({ source: '['.repeat(200000) }) })
  await probe('POST', '/catalog/validate', {
    body: JSON.stringify({
      source:
        'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e]',
    }),
  })
  const deep = '['.repeat(100000) + ']'.repeat(100000)
  await probe('POST', '/usage-records', { body: `{"records":[${deep}]}` })
  await probe('POST', '/catalog/apply', {
    headers: { 'idempotency-key': 'deep' },
    body: `{"source":"x","artifact":{"baseHash":"","targetHash":"","changes":[{"kind":"add","object":"plan","key":"x","sentence":"","before":${deep},"after":null}],"affectedCustomers":[],"recurringRevenueDelta":[],"losses":[],"blocked":false}}`,
  })
  await probe('POST', '/usage-records', {
    body: '{"tenantId":"ana","meter":"api_calls","quantity":1e400,"idempotencyKey":"a"}',
  })
  await probe('POST', '/usage-records', {
    body: '{"tenantId":"ana","meter":"api_calls","at":"2026-02-30T00:00:00Z","idempotencyKey":"a"}',
  })
  await probe('POST', '/usage-records', {
    body: '{"tenantId":"ana","meter":"api_calls","properties":{"a":"\\ud800"},"idempotencyKey":"a5"}',
  })
  await probe('POST', '/usage-records', {
    body: '{"tenantId":"ana","meter":"exports","quantity":9,"properties":{"a":"\\ud800"},"idempotencyKey":"a6"}',
  })
  await probe('PUT', '/usage-records', { body: '{}' })
  await probe('GET', '/nothing')
  await probe('GET', '/events?after=99999999999999999999999')
  await probe('GET', '/webhooks/inbox?cursor=' + Buffer.from('"999999999999999999"').toString('base64url'))
  await probe('GET', '/audit?tenantId=ana&limit=2')
  await probe('GET', '/customers?limit=0')
  await probe('POST', '/webhooks/inbox/999999999999999999/replay')
  await probe('POST', '/billing/webhooks/stripe', { key: null, body: '{}' })
  await probe('POST', '/billing/webhooks/constructor', { key: null, body: '{}' })
  await probe('POST', '/catalog/push')
  await s.stop()
})
