import { createClient } from '@turnpike/client'
import { freePort } from '@turnpike/local/postgres'
import { createTestDatabase, type TestDatabase } from '@turnpike/local/test-database'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type MailServer, startMailServer } from '../support/mail-server.ts'
import { eventually, operatorKey } from '../support/world.ts'
import { type ServiceProcess, startServiceProcess } from './support/service-process.ts'

let database: TestDatabase
let mail: MailServer
let service: ServiceProcess
beforeAll(async () => {
  database = await createTestDatabase()
  mail = await startMailServer()
})
afterAll(async () => {
  await service?.kill()
  await mail?.close()
  await database?.drop()
})

const start = async () =>
  startServiceProcess({
    databaseUrl: database.url,
    sandboxUrl: 'http://127.0.0.1:9',
    port: await freePort(),
    env: { SMTP_URL: mail.url, NOTICES_FROM: 'billing@acme.example', TURNPIKE_PROVIDER: 'stripe' },
  })
const client = () => createClient({ baseUrl: service.url, credential: operatorKey })

test('killed before, during and after a mail: none is lost, and a repeat carries the same Message-ID (DUN-2)', async () => {
  service = await start()
  const tenants = ['before', 'during', 'after', 'later']
  const warn = async (tenantId: string) => {
    await client().createCustomer({ body: { tenantId, name: tenantId, email: `${tenantId}@customer.example` } })
    await client().reportUsage({ body: { tenantId, meter: 'tokens', quantity: 45_000, idempotencyKey: tenantId } })
  }
  const killed = async (when: () => void) => {
    const here = Promise.withResolvers<void>()
    mail.hold(here.resolve)
    when()
    await here.promise
    await service.kill()
    mail.hold(null)
    mail.rules.recipient = () => null
    mail.rules.message = () => null
    service = await start()
    await allSent()
  }
  const allSent = () =>
    eventually(
      async () => (await client().listNotices({ query: {} })).data,
      (notices) => notices.length > 0 && notices.every(({ state }) => state === 'sent'),
      20_000,
    )

  // The server has heard of the recipient, and nothing of the message.
  mail.rules.recipient = (address) => (address.startsWith('before') ? 'silence' : null)
  const held = killed(() => {})
  await warn('before')
  await held
  // It has the message and has not said yes.
  mail.rules.message = () => 'silence'
  const during = killed(() => {})
  await warn('during')
  await during
  // It has said yes, and nobody has noted it: the one gap that SMTP leaves.
  const after = killed(() => mail.takeAndHold())
  await warn('after')
  await after
  await warn('later')

  const notices = await eventually(allSent, (seen) => seen.length === tenants.length)
  for (const notice of notices) {
    const arrived = mail.to(`${notice.tenantId}@customer.example`)
    expect(new Set(arrived.map(({ messageId }) => messageId))).toEqual(new Set([notice.messageId]))
    expect(arrived.length, notice.tenantId).toBe(notice.tenantId === 'after' ? 2 : 1)
  }
}, 120_000)
