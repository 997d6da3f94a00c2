import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeNotices } from '../src/flows/make-notices.ts'
import { query, sql } from '../src/platform/db.ts'
import { onFaultPoint } from '../src/platform/fault-points.ts'
import { type MailServer, startMailServer } from './support/mail-server.ts'
import { type Service, startService } from './support/service.ts'
import { eventually } from './support/world.ts'

/** How notices are made and mailed: a real mail server, real PostgreSQL, and everything that may go wrong between them. */
let mail: MailServer
let service: Service
const env = () => ({
  SMTP_URL: mail.url,
  NOTICES_FROM: '"Acme Billing" <billing@acme.example>',
  SMTP_TIMEOUT_SECONDS: '1',
})
beforeAll(async () => {
  mail = await startMailServer()
  service = await startService({ env: env() })
})
afterAll(async () => {
  onFaultPoint(null)
  await service?.stop()
  await mail?.close()
})

let tenants = 0
/** A new customer who has used 90% of the tokens of the free plan: one notice. */
const warned = async (of: Service, more: { email?: string | null; at?: Service['operator'] } = {}): Promise<string> => {
  const tenantId = `notice-${++tenants}`
  const email = more.email === undefined ? `${tenantId}@customer.example` : more.email
  const operator = more.at ?? of.operator
  await operator.createCustomer({ body: { tenantId, name: 'Ana & Söhne', email } })
  await operator.reportUsage({ body: { tenantId, meter: 'tokens', quantity: 45_000, idempotencyKey: tenantId } })
  return tenantId
}
const noticeOf = (of: Service, tenantId: string, state: string) =>
  eventually(
    async () => (await of.operator.listNotices({ query: { tenantId } })).data,
    (notices) => notices.length === 1 && notices[0]!.state === state,
  ).then(([notice]) => notice!)
const addressOf = (tenantId: string) => `${tenantId}@customer.example`

test('a notice arrives once, in text and in HTML, as billing pages show it (DUN-2)', async () => {
  const tenantId = await warned(service)
  const notice = await noticeOf(service, tenantId, 'sent')
  const [arrived, ...more] = mail.to(addressOf(tenantId))
  expect(more).toEqual([])
  expect(arrived!.subject).toBe('You have used 90% of your Model tokens')
  expect(arrived!.from!.value).toEqual([{ name: 'Acme Billing', address: 'billing@acme.example' }])
  expect(arrived!.messageId).toBe(notice.messageId)
  expect(notice.messageId).toBe(`<${notice.id}@acme.example>`)
  expect(arrived!.headers.get('auto-submitted')).toBe('auto-generated')
  expect(arrived!.text).toContain('You have used 45,000 of 50,000 Model tokens: 90%.')
  expect(arrived!.html).toContain('Hello Ana &amp; Söhne,')
  const { data: detail } = await service.operator.getNotice({ params: { noticeId: notice.id } })
  expect(arrived!.text!.trim()).toBe(detail.text!.trim())
  const { data: current } = await (await service.as('owner', tenantId)).listCurrentNotices({ query: {} })
  expect(current).toMatchObject([
    { id: notice.id, kind: 'limit_warning', severity: 'warning', subject: arrived!.subject, text: detail.text },
  ])
})

test('without an address a notice is skipped, visibly, and mailed once there is one', async () => {
  const tenantId = await warned(service, { email: null })
  const notice = await noticeOf(service, tenantId, 'skipped')
  expect(notice).toMatchObject({ to: [], lastError: 'no_address', attempts: 0 })
  const resend = () => service.operator.resendNotice({ params: { noticeId: notice.id } })
  await expect(resend()).rejects.toMatchObject({ code: 'notice_without_address' })
  const { data: customers } = await service.operator.listCustomers({ query: { search: tenantId } })
  await service.operator.updateCustomer({
    params: { customerId: customers[0]!.id },
    body: { email: addressOf(tenantId) },
  })
  expect((await resend()).data).toMatchObject({ state: 'waiting', to: [addressOf(tenantId)] })
  await noticeOf(service, tenantId, 'sent')
  expect(mail.to(addressOf(tenantId))).toHaveLength(1)
  const { data: audit } = await service.operator.listAudit({ query: { tenantId, action: 'notice.resend' } })
  expect(audit).toMatchObject([{ object: notice.id, before: { state: 'skipped' } }])
})

test('a notice sent again is a copy with a Message-ID of its own', async () => {
  const tenantId = await warned(service)
  const notice = await noticeOf(service, tenantId, 'sent')
  await service.operator.resendNotice({ params: { noticeId: notice.id } })
  const mails = await mail.received(addressOf(tenantId), (arrived) => arrived.length === 2)
  expect(new Set(mails.map((each) => each.messageId)).size).toBe(2)
})

test('a recipient that is refused is not asked again; one refused for now is', async () => {
  let refusals = 0
  mail.rules.recipient = (address) =>
    address.startsWith('gone')
      ? { code: 550, words: 'No such user' }
      : ++refusals > 1
        ? null
        : { code: 450, words: 'Later' }
  const gone = await warned(service, { email: 'gone@customer.example' })
  expect(await noticeOf(service, gone, 'failed')).toMatchObject({ attempts: 1, lastError: 'recipient_refused_550' })
  const busy = await warned(service)
  expect(await noticeOf(service, busy, 'retrying')).toMatchObject({ attempts: 1, lastError: 'recipient_refused_450' })
  expect(mail.to(addressOf(busy))).toEqual([])
  service.clock.advance('PT1M')
  expect(await noticeOf(service, busy, 'sent')).toMatchObject({ attempts: 2, lastError: null })
  expect(mail.to(addressOf(busy))).toHaveLength(1)
  mail.rules.recipient = () => null
})

test('a message refused after it was received is tried again as the same message', async () => {
  mail.rules.message = () => ({ code: 451, words: 'Disk full' })
  const tenantId = await warned(service)
  expect(await noticeOf(service, tenantId, 'retrying')).toMatchObject({ lastError: 'content_refused_451' })
  mail.rules.message = () => null
  service.clock.advance('PT1M')
  const notice = await noticeOf(service, tenantId, 'sent')
  expect(mail.to(addressOf(tenantId)).map((each) => each.messageId)).toEqual([notice.messageId])
})

test('a server that never answers costs bounded time, and others are mailed after it', async () => {
  mail.rules.recipient = (address) => (address.startsWith('slow') ? 'silence' : null)
  const slow = await warned(service, { email: 'slow@customer.example' })
  const next = await warned(service)
  expect(await noticeOf(service, slow, 'retrying')).toMatchObject({ lastError: 'mail_server_unreachable' })
  await noticeOf(service, next, 'sent')
  mail.rules.recipient = () => null
})

test('a server that is down and comes back gets everything, once', async () => {
  await mail.close()
  const both = [await warned(service), await warned(service)]
  for (const tenantId of both)
    expect(await noticeOf(service, tenantId, 'retrying')).toMatchObject({ lastError: 'mail_server_unreachable' })
  mail = await startMailServer(mail.port)
  service.clock.advance('PT1M')
  for (const tenantId of both) {
    await noticeOf(service, tenantId, 'sent')
    expect(mail.to(addressOf(tenantId))).toHaveLength(1)
  }
})

test('two processes on one database mail each notice once', async () => {
  const other = await service.another()
  const all = await Promise.all(Array.from({ length: 12 }, () => warned(service)))
  for (const tenantId of all) {
    const notice = await noticeOf(service, tenantId, 'sent')
    expect(notice.attempts).toBe(1)
    expect(mail.to(addressOf(tenantId))).toHaveLength(1)
  }
  await other.stop()
})

describe('when the maker dies (DUN-2)', () => {
  test.each(['before_commit', 'after_commit'] as const)('%s: every notice is made once', async (where) => {
    let deaths = 0
    onFaultPoint((point, what) => {
      if (point !== where || what !== 'readOn' || deaths >= 3) return
      deaths++
      throw new Error('died here')
    })
    const all = await Promise.all(Array.from({ length: 4 }, () => warned(service)))
    for (const tenantId of all) await noticeOf(service, tenantId, 'sent')
    onFaultPoint(null)
    expect(deaths).toBe(3)
    for (const tenantId of all) expect(mail.to(addressOf(tenantId))).toHaveLength(1)
    const rows = await query(service.app.deps.db, sql`select 1 from notices where tenant_id = any (${all}::text[])`)
    expect(rows).toHaveLength(all.length)
  })

  test('a cursor that stands before what was made makes nothing again', async () => {
    const tenantId = await warned(service)
    await noticeOf(service, tenantId, 'sent')
    await query(service.app.deps.db, sql`update notice_cursor set position = 0`)
    while ((await makeNotices(service.app.deps)) > 0);
    const [row] = await query<{ n: number }>(
      service.app.deps.db,
      sql`select count(*)::int as n from notices where tenant_id = ${tenantId}`,
    )
    expect(row!.n).toBe(1)
    expect(mail.to(addressOf(tenantId))).toHaveLength(1)
  })
})

describe('without a mail server', () => {
  test('notices are kept and shown, and not mailed', async () => {
    const quiet = await startService()
    try {
      const tenantId = await warned(quiet)
      const notice = await noticeOf(quiet, tenantId, 'not_configured')
      const { data: current } = await (await quiet.as('owner', tenantId)).listCurrentNotices({ query: {} })
      expect(current.map(({ id }) => id)).toEqual([notice.id])
      await expect(quiet.operator.resendNotice({ params: { noticeId: notice.id } })).rejects.toMatchObject({
        code: 'mail_not_configured',
      })
    } finally {
      await quiet.stop()
    }
  })
})

test('kinds that the host product does not want are not made', async () => {
  const without = await startService({ env: { ...env(), NOTICES_OFF: 'limit_warning' } })
  try {
    const tenantId = await warned(without)
    await without.operator.reportUsage({
      body: { tenantId, meter: 'api_calls', quantity: 1_000, idempotencyKey: 'all' },
    })
    const notices = await eventually(
      async () => (await without.operator.listNotices({ query: { tenantId } })).data,
      (seen) => seen.length > 0,
    )
    expect(notices.map(({ kind }) => kind)).toEqual(['limit_reached'])
  } finally {
    await without.stop()
  }
})

describe('previews', () => {
  test('every kind can be looked at, also in the name of a customer', async () => {
    const { data: templates } = await service.operator.listNoticeTemplates()
    expect(templates.length).toBeGreaterThan(20)
    for (const { kind, subject } of templates) {
      const { data } = await service.operator.previewNotice({ body: { kind } })
      expect(data.subject).toBe(subject)
    }
    const tenantId = await warned(service)
    const { data: customers } = await service.operator.listCustomers({ query: { search: tenantId } })
    const { data } = await service.operator.previewNotice({
      body: { kind: 'canceled', customerId: customers[0]!.id },
    })
    expect(data.text).toContain('Hello Ana & Söhne,')
    await expect(service.operator.previewNotice({ body: { kind: 'birthday' } })).rejects.toMatchObject({
      code: 'not_found',
    })
  })
})
