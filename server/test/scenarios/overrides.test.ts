import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expireOverrideRequests } from '../../src/flows/decide-override.ts'
import { lapseDue } from '../../src/flows/lapse-entitlements.ts'
import { forgetOldRequests } from '../../src/platform/idempotency.ts'
import { type MailServer, startMailServer } from '../support/mail-server.ts'
import { auditOf, eventsOf } from '../support/story.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

/** Exceptions that support grants, alone or with a second person (ENT-2). */
const folder = mkdtempSync(join(tmpdir(), 'overrides-'))
const catalog = join(folder, 'acme.yaml')
writeFileSync(
  catalog,
  readFileSync('catalog/acme.yaml', 'utf8').replace(
    /secondPerson: \{[^}]*\}/,
    'secondPerson: { features: [sso], aboveDays: 30, unlimited: true }\n    maxDays: 90',
  ),
)

let mail: MailServer
let world: World
beforeAll(async () => {
  mail = await startMailServer()
  world = await startWorld({
    env: {
      TURNPIKE_CATALOG: catalog,
      SMTP_URL: mail.url,
      NOTICES_FROM: 'billing@acme.example',
      NOTICES_OPERATORS: 'billing-team@acme.example',
    },
  })
})
afterAll(async () => {
  await world?.stop()
  await mail?.close()
  rmSync(folder, { recursive: true })
})

const inDays = (days: number) =>
  world.clock
    .now()
    .add({ hours: 24 * days })
    .toString()
const allowed = async (tenantId: string) =>
  (await world.operator.check({ body: { tenantId, feature: 'sso' } })).data.decisions[0]!
const wish = (tenantId: string) => ({
  body: { tenantId, feature: 'sso', set: { enabled: true }, reason: 'Their sign-on is moving', expiresAt: inDays(14) },
})

test('support asks, a second person approves, and it ends by itself', async () => {
  await world.tenant('ana')
  const support = await world.as('support')
  const { data: asked } = await support.createOverride(wish('ana'))
  expect(asked).toMatchObject({ state: 'waiting_for_approval', decidedBy: null })
  expect(await allowed('ana')).toMatchObject({ allowed: false })
  expect(await eventsOf(world, 'ana', (types) => types.includes('override.requested'))).not.toContain(
    'override.decided',
  )
  const [letter] = await mail.received('billing-team@acme.example', (mails) => mails.length > 0)
  expect(letter!.subject).toBe('Approval needed: Single sign-on for Customer ana')
  expect(letter!.text).toContain('Reason: Their sign-on is moving')
  // The customer is not shown what the house talks about, nor to whom.
  const { data: all } = await world.operator.listNotices({ query: { tenantId: 'ana', kind: 'override_requested' } })
  expect(all).toHaveLength(1)
  const anasOwner = await world.as('owner', 'ana')
  expect((await anasOwner.listNotices({ query: { kind: 'override_requested' } })).data).toEqual([])
  await expect(anasOwner.getNotice({ params: { noticeId: all[0]!.id } })).rejects.toMatchObject({ code: 'not_found' })
  expect((await (await world.as('owner', 'ana')).listCurrentNotices({ query: {} })).data).toEqual([])

  const operator = await world.as('operator')
  const waiting = async () => (await operator.listWaitingOverrides({})).data.map(({ id }) => id)
  expect(await waiting()).toEqual([asked.id])
  const { data: approved } = await operator.approveOverride({
    params: { overrideId: asked.id },
    body: { reason: 'Agreed' },
  })
  expect(approved).toMatchObject({ state: 'approved', decisionReason: 'Agreed' })
  expect(await waiting()).toEqual([])
  expect(approved.decidedBy).not.toBe(asked.actor)
  expect(
    await eventually(
      () => allowed('ana'),
      (seen) => seen.allowed,
    ),
  ).toMatchObject({ reason: 'override' })
  expect((await eventsOf(world, 'ana', (types) => types.includes('override.decided'))).slice(-2)).toEqual([
    'override.decided',
    'entitlements.updated',
  ])
  expect(await auditOf(world, 'ana')).toEqual(expect.arrayContaining(['override.request', 'override.approve']))
  // A repeat changes nothing.
  await operator.approveOverride({ params: { overrideId: asked.id }, body: {} })
  expect((await eventsOf(world, 'ana')).filter((type) => type === 'override.decided')).toHaveLength(1)

  await world.advance('P14D')
  await lapseDue(world.app.deps)
  expect(await allowed('ana')).toMatchObject({ allowed: false })
})

test('who asks cannot approve, whatever they hold; the attempt is on record', async () => {
  await world.tenant('bob')
  const operator = await world.as('operator')
  const { data: asked } = await operator.createOverride(wish('bob'))
  const decide = { params: { overrideId: asked.id }, body: {} }
  await expect(operator.approveOverride(decide)).rejects.toMatchObject({ code: 'second_person_required' })
  const support = await world.as('support')
  await expect(support.approveOverride(decide)).rejects.toMatchObject({ code: 'forbidden' })
  expect(await allowed('bob')).toMatchObject({ allowed: false })
  const { data: denied } = await world.operator.listAudit({ query: { tenantId: 'bob', result: 'denied' } })
  expect(denied).toContainEqual(expect.objectContaining({ action: 'override.approve', reason: 'asked for it' }))
  // To take back what one asked for needs nobody else.
  await operator.withdrawOverride({ params: { overrideId: asked.id } })
  await expect(world.operator.approveOverride(decide)).rejects.toMatchObject({ code: 'override_not_waiting' })
})

test('a request that is rejected or that nobody decides is never in force', async () => {
  await world.tenant('cid')
  const support = await world.as('support')
  const { data: first } = await support.createOverride(wish('cid'))
  const { data: rejected } = await world.operator.rejectOverride({
    params: { overrideId: first.id },
    body: { reason: 'They have a plan for that' },
  })
  expect(rejected.state).toBe('rejected')
  const { data: second } = await support.createOverride(wish('cid'))
  await world.advance('P7D')
  await expect(world.operator.approveOverride({ params: { overrideId: second.id }, body: {} })).rejects.toMatchObject({
    code: 'override_not_waiting',
  })
  expect(await expireOverrideRequests(world.app.deps)).toBeGreaterThan(0)
  expect(await expireOverrideRequests(world.app.deps)).toBe(0)
  const { data: all } = await world.operator.listOverrides({ query: { tenantId: 'cid' } })
  expect(all.map(({ state }) => state)).toEqual(['expired', 'rejected'])
  expect(await allowed('cid')).toMatchObject({ allowed: false })
  // The feed gives events their place a moment after their commit.
  await eventually(
    () => eventsOf(world, 'cid'),
    (types) => types.filter((type) => type === 'override.decided').length === 2,
  )
  expect(await auditOf(world, 'cid')).toEqual(expect.arrayContaining(['override.reject', 'override.expire']))
})

test('what one person may grant is in force at once; policy sets its end', async () => {
  await world.tenant('dan')
  const support = await world.as('support')
  const grant = (days: number | null, set: { limit: number | null }) =>
    support.createOverride({
      body: {
        tenantId: 'dan',
        feature: 'exports',
        set,
        reason: 'A busy month',
        ...(days === null ? {} : { expiresAt: inDays(days) }),
      },
    })
  expect((await grant(30, { limit: 50 })).data.state).toBe('approved')
  const { data } = await world.operator.check({ body: { tenantId: 'dan', feature: 'exports' } })
  expect(data.decisions[0]).toMatchObject({ limit: 50 })
  expect((await grant(31, { limit: 60 })).data.state).toBe('waiting_for_approval')
  expect((await grant(1, { limit: null })).data.state).toBe('waiting_for_approval')
  await expect(grant(91, { limit: 60 })).rejects.toMatchObject({ code: 'override_invalid' })
  await expect(grant(null, { limit: 60 })).rejects.toMatchObject({ code: 'override_invalid' })
  expect(
    (await world.operator.check({ body: { tenantId: 'dan', feature: 'exports' } })).data.decisions[0],
  ).toMatchObject({
    limit: 50,
  })
})

test('a key of days ago, for another customer, is another request (API-3, CUS-2)', async () => {
  for (const tenantId of ['key-ana', 'key-bob']) {
    const { data } = await world.operator.createCustomer({
      body: { tenantId, name: tenantId },
      idempotencyKey: 'one-key',
    })
    expect(data.tenantId).toBe(tenantId)
    const expiresAt = world.clock.now().add({ hours: 240 }).toString()
    const { data: override } = await world.operator.createOverride({
      body: { tenantId, feature: 'audit_log', set: { enabled: true }, reason: 'A promise', expiresAt },
      idempotencyKey: 'another-key',
    })
    expect(override.tenantId).toBe(tenantId)
    await world.advance('P3D')
    // What the nightly task does.
    await forgetOldRequests(world.app.deps.db, world.clock.now().subtract({ hours: 48 }))
  }
})

test('one customer who cannot be resolved holds up nobody behind them (ENT-2)', async () => {
  const ends = [1, 2].map((hours) => world.clock.now().add({ hours }).toString())
  for (const [n, tenantId] of ['broken-ana', 'behind-bob'].entries()) {
    await world.tenant(tenantId)
    await world.operator.createOverride({
      body: { tenantId, feature: 'audit_log', set: { enabled: true }, reason: 'A promise', expiresAt: ends[n]! },
    })
  }
  const owner = new pg.Client(world.database.url)
  await owner.connect()
  await owner.query(`
    create function refuse_ana() returns trigger language plpgsql as $$ begin
      if new.tenant_id = 'broken-ana' then raise exception 'broken'; end if; return new; end $$;
    create trigger refuse_ana before insert on entitlement_snapshots for each row execute function refuse_ana()`)
  try {
    await world.advance('PT3H')
    await lapseDue(world.app.deps)
    const snapshots = async (tenantId: string) =>
      (await eventsOf(world, tenantId)).filter((type) => type === 'entitlements.updated').length
    await eventually(
      () => snapshots('behind-bob'),
      (count) => count === 3,
    )
    expect(await snapshots('broken-ana')).toBe(2)
  } finally {
    await owner.query('drop trigger refuse_ana on entitlement_snapshots')
    await owner.end()
  }
})
