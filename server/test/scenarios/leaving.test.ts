import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { followRetentions } from '../../src/flows/follow-retention.ts'
import { lapseDue } from '../../src/flows/lapse-entitlements.ts'
import { query, readInOneView, sql } from '../../src/platform/db.ts'
import { exportLines, exportTables } from '../../src/platform/export-rows.ts'
import { payCheckout, stripeOf } from '../support/pay.ts'
import { auditOf, eventsOf, type Subscriber, statusOf, subscribed } from '../support/story.ts'
import { unzip } from '../support/unzip.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

// Ten days to look on, ninety until the deletion: a product whose free plan is not what people stay for.
const policy = readFileSync('catalog/acme.yaml', 'utf8')
  .replace('readOnlyDays: 0', 'readOnlyDays: 10')
  .replace('retentionDays: 365', 'retentionDays: 90')
const catalog = join(mkdtempSync(join(tmpdir(), 'turnpike-leaving-')), 'catalog.yaml')
writeFileSync(catalog, policy)

let world: World
beforeAll(async () => {
  world = await startWorld({ env: { TURNPIKE_CATALOG: catalog } })
})
afterAll(() => world?.stop())

/** Follows what is due. Months are over in a moment here: what they brought to charge is charged first, as it is in life. */
const follow = async (size?: { batch: number; batches: number }): Promise<number> => {
  const { db, clock } = world.app.deps
  const over = clock.now().subtract({ minutes: 6 }).toString()
  await eventually(
    () => query(db, sql`select from usage_periods where state = 'open' and period_end <= ${over}`),
    (waiting) => waiting.length === 0,
  )
  return followRetentions(world.app.deps, size)
}
const leave = async (subscriber: Subscriber) => {
  await stripeOf(world).subscriptions.cancel(subscriber.providerSubscriptionId)
  return statusOf(subscriber.owner, (seen) => seen.retention !== null)
}
const buyAgain = async ({ owner }: Subscriber) => {
  const { data: session } = await owner.createSession({
    body: { plan: 'pro', price: 'monthly', returnUrl: 'http://127.0.0.1:9999/back' },
  })
  await payCheckout(world, session.sessionUrl)
  return statusOf(owner, (seen) => seen.subscription !== null && seen.openCheckout === null)
}
const about = (types: string[], prefix: string) => types.filter((type) => type.startsWith(prefix))
const report = (tenantId: string, records: number, name = tenantId) =>
  world.operator.reportUsage({
    body: {
      records: Array.from({ length: records }, (_, n) => ({
        tenantId,
        meter: 'api_calls',
        idempotencyKey: `${name}-${n}`,
      })),
    },
  })
const countsOf = async (tenantId: string) =>
  (
    await query<Record<string, number>>(
      world.app.deps.db,
      sql`select (select count(*)::int from usage_records where tenant_id = ${tenantId}) as records,
            (select count(*)::int from usage_counters where tenant_id = ${tenantId}) as counters,
            (select count(*)::int from overrides where tenant_id = ${tenantId}) as overrides,
            (select count(*)::int from webhook_inbox where tenant_id = ${tenantId}) as webhooks,
            (select count(*)::int from entitlement_snapshots where tenant_id = ${tenantId}) as snapshots,
            (select count(*)::int from subscriptions where tenant_id = ${tenantId}) as subscriptions,
            (select count(*)::int from invoices where tenant_id = ${tenantId}) as invoices`,
    )
  )[0]!

/** The events about retention, once all that happened has its place in the feed. */
const retentionEvents = async (tenantId: string): Promise<string[]> => {
  await eventually(
    () => query(world.app.deps.db, sql`select from outbox where position is null and tenant_id = ${tenantId}`),
    (unplaced) => unplaced.length === 0,
  )
  return about(await eventsOf(world, tenantId), 'retention.')
}

/** All rows of a tenant in all tables, as text by table. */
const rowsOf = (tenantId: string): Promise<Map<string, string>> =>
  readInOneView(world.app.deps.db, async (tx) => {
    const found = new Map<string, string>()
    for (const table of await exportTables(tx)) {
      let text = ''
      for await (const page of exportLines(tx, table, tenantId, () => false)) text += page.text
      found.set(table.table, text)
    }
    return found
  })

describe('after the last subscription has ended', () => {
  test('one looks on, is reminded twice, and then everything goes that may go (SUB-6, PRV-1)', async () => {
    const ana = await subscribed(world, 'leaver')
    await report('leaver', 3)
    await world.operator.createOverride({
      body: { tenantId: 'leaver', feature: 'audit_log', set: { enabled: true }, reason: 'A promise of sales' },
    })
    await world.operator.updateCustomer({ params: { customerId: ana.customerId }, body: { name: 'Ana Example' } })
    const { data: shown } = await ana.owner.previewSubscription({
      params: { subscriptionId: ana.subscriptionId },
      body: { action: 'cancel', when: 'now' },
    })
    expect(shown.entitlements.accessLevel).toEqual({ before: 'full', after: 'read_only' })
    const ended = await leave(ana)
    expect(ended).toMatchObject({ status: 'no_subscription', accessLevel: 'read_only', plan: { plan: 'free' } })
    const { endedAt, readOnlyUntil, exportUntil, deleteAt } = ended.retention!
    const days = (from: string, to: string) => Temporal.Instant.from(to).since(from).total('hours') / 24
    expect([days(endedAt, readOnlyUntil!), days(endedAt, exportUntil), days(endedAt, deleteAt)]).toEqual([10, 90, 90])
    expect(ended.nextActions.map(({ action }) => action)).toContain('export_data')
    expect(await retentionEvents('leaver')).toEqual(['retention.started'])

    await world.advance('P9D')
    expect(await follow()).toBe(0)
    expect((await statusOf(ana.owner)).accessLevel).toBe('read_only')
    await world.advance('P1DT1M')
    await follow()
    expect((await statusOf(ana.owner)).accessLevel).toBe('full')
    expect(about(await auditOf(world, 'leaver'), 'retention.').at(-1)).toBe('retention.read_only_over')

    await world.advance('P50D')
    await follow()
    await follow()
    expect(await retentionEvents('leaver')).toEqual(['retention.started', 'retention.export_ending'])
    await world.advance('P23D')
    await follow()
    expect(await retentionEvents('leaver')).toHaveLength(3)
    const { data: feed } = await world.operator.listEvents({ query: { tenantId: 'leaver', limit: 1_000 } })
    expect(feed.filter(({ type }) => type === 'retention.export_ending').map(({ data }) => data)).toEqual([
      { deleteAt, days: 30 },
      { deleteAt, days: 7 },
    ])
    const before = await countsOf('leaver')
    expect(before).toMatchObject({ records: 3, overrides: 1, subscriptions: 1 })
    expect(before.invoices).toBeGreaterThan(0)

    await world.advance('P7D')
    await follow()
    expect(await countsOf('leaver')).toEqual({
      records: 0,
      counters: 0,
      overrides: 0,
      webhooks: 0,
      snapshots: 1,
      subscriptions: 1,
      invoices: before.invoices,
    })
    const { data: customer } = await world.operator.getCustomer({ params: { customerId: ana.customerId } })
    expect(customer).toMatchObject({ id: ana.customerId, name: 'Deleted customer', email: null })
    expect((await statusOf(ana.owner)).retention).toBeNull()
    expect((await retentionEvents('leaver')).at(-1)).toBe('retention.deleted')
    expect(about(await auditOf(world, 'leaver'), 'retention.')).toEqual([
      'retention.started',
      'retention.read_only_over',
      'retention.reminded',
      'retention.reminded',
      'retention.deleting',
      'retention.deleted',
    ])
    expect(await follow()).toBe(0)
    for (const [table, rows] of await rowsOf('leaver')) {
      expect(rows, table).not.toContain('Ana Example')
      expect(rows, table).not.toContain('billing@leaver.example')
    }
  })

  test('who buys again keeps everything, and a later end counts anew (SUB-6)', async () => {
    const bob = await subscribed(world, 'returner')
    await leave(bob)
    await world.advance('P70D')
    await follow()
    await buyAgain(bob)
    expect((await statusOf(bob.owner, (seen) => seen.retention === null)).accessLevel).toBe('full')
    await world.advance('P25D')
    expect(await follow()).toBe(0)
    expect(await retentionEvents('returner')).toEqual([
      'retention.started',
      'retention.export_ending',
      'retention.ended',
    ])
    expect(about(await auditOf(world, 'returner'), 'retention.').at(-1)).toBe('retention.ended')
    expect((await world.operator.getCustomer({ params: { customerId: bob.customerId } })).data.name).toBe(
      'Customer returner',
    )
  })

  test('a deletion that is killed anywhere goes on where it was, and has one effect (SUB-6, PRV-1)', async () => {
    const cut = await subscribed(world, 'interrupted')
    await report('interrupted', 25)
    await leave(cut)
    await world.advance('P60D')
    await follow()
    await world.advance('P23D')
    await follow()
    await world.advance('P7D')
    const seen: number[] = []
    for (let run = 0; run < 200 && (await statusOf(cut.owner)).retention !== null; run++) {
      await follow({ batch: 4, batches: 1 })
      const { records, counters } = await countsOf('interrupted')
      seen.push(records!)
      // Counters agree with their records at every moment (USE-4).
      if (counters! > 0)
        expect(
          await query(
            world.app.deps.db,
            sql`select coalesce(sum(records), 0)::int as records from usage_counters where tenant_id = 'interrupted' and span = 'period'`,
          ),
        ).toEqual([{ records }])
    }
    expect(seen.slice(0, 7)).toEqual([21, 17, 13, 9, 5, 1, 0])
    expect(await countsOf('interrupted')).toMatchObject({ records: 0, counters: 0, snapshots: 1, subscriptions: 1 })
    expect((await retentionEvents('interrupted')).filter((type) => type === 'retention.deleted')).toHaveLength(1)
    expect((await auditOf(world, 'interrupted')).filter((action) => action === 'retention.deleting')).toHaveLength(1)
  })

  test('nothing is deleted before what was used is charged (SUB-6, INV-6)', async () => {
    const owing = await subscribed(world, 'owing')
    await world.advance('PT2H')
    await report('owing', 3)
    await leave(owing)
    await world.advance('P60D')
    await follow()
    await world.advance('P23D')
    await follow()
    await world.advance('P7D')
    // A period that is over only now: it is rated some minutes after its end.
    const { db } = world.app.deps
    const end = world.clock.now().subtract({ minutes: 1 }).toString()
    await query(
      db,
      sql`update usage_periods set state = 'open', period_end = ${end}, rated_at = null, late_until = null, input = null, input_hash = null where tenant_id = 'owing'`,
    )
    await follow()
    expect((await countsOf('owing')).records).toBe(3)
    await world.advance('PT10M')
    await eventually(
      () => query(db, sql`select from usage_periods where tenant_id = 'owing' and state = 'open'`),
      (open) => open.length === 0,
    )
    await follow()
    expect((await countsOf('owing')).records).toBe(0)
  })

  test('who buys again in the middle of the deletion keeps what is left (SUB-6)', async () => {
    const late = await subscribed(world, 'latecomer')
    await report('latecomer', 12)
    await leave(late)
    await world.advance('P60D')
    await follow()
    await world.advance('P23D')
    await follow()
    await world.advance('P7D')
    await follow({ batch: 4, batches: 1 })
    expect((await countsOf('latecomer')).records).toBe(8)
    await buyAgain(late)
    await statusOf(late.owner, (seen) => seen.retention === null)
    await follow()
    expect((await countsOf('latecomer')).records).toBe(8)
    expect((await retentionEvents('latecomer')).at(-1)).toBe('retention.ended')
  })

  test('nothing is deleted of whoever has bought again unheard, or is about to (SUB-6)', async () => {
    const [unheard, buying] = [await subscribed(world, 'unheard'), await subscribed(world, 'about-to-buy')]
    for (const subscriber of [unheard, buying]) {
      await report(subscriber.tenantId, 3)
      await leave(subscriber)
    }
    await world.advance('P60D')
    await follow()
    await world.advance('P23D')
    await follow()
    await world.advance('P7D')
    // One is at a page that could be paid; of the other's new subscription no webhook has come.
    await buying.owner.createSession({
      body: { plan: 'pro', price: 'monthly', returnUrl: 'http://127.0.0.1:9999/back' },
    })
    await world.control('POST', '/sandbox/faults', { kind: 'webhook', action: 'drop', type: '*' })
    const stripe = stripeOf(world)
    const { data: prices } = await stripe.prices.list({ active: true, limit: 100 })
    const price = prices.find(({ lookup_key: key }) => key?.includes('pro_monthly') && !key.includes('seat'))!
    const { data: cards } = await stripe.customers.listPaymentMethods(unheard.providerCustomerId, { limit: 1 })
    await stripe.subscriptions.create({
      customer: unheard.providerCustomerId,
      items: [{ price: price.id }],
      default_payment_method: cards[0]!.id,
    })
    await world.control('DELETE', '/sandbox/faults')
    await follow()
    for (const { tenantId } of [unheard, buying]) expect((await countsOf(tenantId)).records).toBe(3)
    expect((await statusOf(unheard.owner)).subscription).not.toBeNull()
    // The page has run out: then everything goes.
    await world.advance('P2D')
    await follow()
    expect((await countsOf('about-to-buy')).records).toBe(0)
    expect((await countsOf('unheard')).records).toBe(3)
  })

  test('usage after the end is a sign of life: the days count from it (SUB-6)', async () => {
    const free = await subscribed(world, 'goes-on-free')
    await leave(free)
    await world.advance('P50D')
    await report('goes-on-free', 1)
    await world.advance('P10D')
    await follow()
    const { retention } = await statusOf(free.owner)
    const longer = Temporal.Instant.from(retention!.deleteAt).since(retention!.endedAt).total('hours') / 24
    expect(Math.round(longer)).toBe(140)
    expect(about(await auditOf(world, 'goes-on-free'), 'retention.').at(-1)).toBe('retention.postponed')
    expect(await retentionEvents('goes-on-free')).toEqual(['retention.started'])
  })

  test('nobody is deleted without a warning in time, however long nobody worked (SUB-6)', async () => {
    const forgotten = await subscribed(world, 'forgotten')
    await leave(forgotten)
    await world.advance('P120D')
    await follow()
    await follow()
    expect(await retentionEvents('forgotten')).toEqual(['retention.started', 'retention.export_ending'])
    await world.advance('P6D')
    await follow()
    expect((await statusOf(forgotten.owner)).retention).not.toBeNull()
    await world.advance('P1DT1M')
    await follow()
    expect((await retentionEvents('forgotten')).at(-1)).toBe('retention.deleted')
  })

  test('the application can take away usage records of nobody else (PRV-1, USE-2)', async () => {
    await subscribed(world, 'stays')
    await report('stays', 2)
    const { db } = world.app.deps
    await expect(query(db, sql`select erase_usage('stays', 10)`)).rejects.toThrow('may not be erased')
    await expect(query(db, sql`delete from usage_records where tenant_id = 'stays'`)).rejects.toThrow(
      'permission denied',
    )
    expect((await countsOf('stays')).records).toBe(2)
  })
})

describe('the archive', () => {
  const pathOf = (link: string) => new URL(link).pathname
  const fetchArchive = async (link: string) => {
    const response = await fetch(`${world.app.url}${pathOf(link)}`)
    return { response, files: unzip(Buffer.from(await response.arrayBuffer())) }
  }
  const without = (answer: { status: number; text: string; json: Record<string, unknown> }) =>
    `${answer.status} ${answer.text.replace(String(answer.json.requestId), 'x')}`

  test('holds every row of the customer and none of another (PRV-1, CUS-2)', async () => {
    const mine = await subscribed(world, 'exporter')
    await subscribed(world, 'exporter-neighbour')
    await report('exporter', 700)
    await report('exporter-neighbour', 5)
    await world.operator.createOverride({
      body: { tenantId: 'exporter', feature: 'sso', set: { enabled: true }, reason: 'A trial' },
    })
    const { data: made } = await mine.owner.createExport({ params: { customerId: mine.customerId } })
    expect(Temporal.Instant.from(made.expiresAt).since(made.createdAt).total('hours')).toBe(7 * 24)
    const before = await eventually(
      () => rowsOf('exporter'),
      (rows) => rows.get('outbox')!.includes('usage.updated') && !rows.get('outbox')!.includes('"position":null'),
    )
    const { response, files } = await fetchArchive(made.downloadUrl!)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/zip')
    expect(response.headers.get('cache-control')).toBe('no-store')

    const manifest = JSON.parse(files.get('manifest.json')!.toString()) as {
      files: { file: string; rows: number; sha256: string }[]
    }
    expect(manifest).toMatchObject({ format: 'turnpike-export-1', tenantId: 'exporter', customerId: mine.customerId })
    expect(manifest.files.map(({ file }) => file).sort()).toEqual(
      [...files.keys()].filter((name) => name !== 'manifest.json').sort(),
    )
    for (const { file, rows, sha256 } of manifest.files) {
      const content = files.get(file)!
      expect(createHash('sha256').update(content).digest('hex'), file).toBe(sha256)
      const lines = content.toString().split('\n').slice(0, -1)
      expect(lines.length, file).toBe(rows)
      for (const line of lines) expect(JSON.parse(line).tenant_id, file).toBe('exporter')
    }
    // All tables that name tenants are there, with as many rows as the database has; the download itself was noted since.
    const counted = Object.fromEntries(manifest.files.map(({ file, rows }) => [file, rows]))
    const names: Record<string, string> = {
      customers: 'customer',
      outbox: 'events',
      audit_log: 'audit',
      webhook_inbox: 'webhooks',
      billing_owners: 'owners',
    }
    for (const [table, rows] of before) {
      const expected = rows.split('\n').length - 1 + (table === 'audit_log' ? 1 : 0)
      expect(counted[`${names[table] ?? table}.ndjson`], table).toBe(expected)
    }
    expect(counted).toMatchObject({ 'usage_records.ndjson': 700, 'customer.ndjson': 1, 'subscriptions.ndjson': 1 })
    for (const kind of [
      'invoices',
      'checkouts',
      'usage_counters',
      'entitlement_snapshots',
      'overrides',
      'events',
      'audit',
    ])
      expect(counted[`${kind}.ndjson`], kind).toBeGreaterThan(0)

    expect((await auditOf(world, 'exporter')).filter((action) => action.startsWith('export.'))).toEqual([
      'export.create',
      'export.download',
    ])
    await eventsOf(world, 'exporter', (types) => types.includes('export.created'))
    expect((await mine.owner.listExports({ params: { customerId: mine.customerId } })).data).toMatchObject([
      { id: made.id, downloads: 1, downloadUrl: made.downloadUrl },
    ])
  })

  test('holds no secrets: neither keys nor their hashes, and no link is in the feed (SEC-1, EVT-1)', async () => {
    const mine = await subscribed(world, 'secretive')
    const { data: made } = await mine.owner.createExport({ params: { customerId: mine.customerId } })
    const token = made.downloadUrl!.split('/').at(-1)!
    const { files } = await fetchArchive(made.downloadUrl!)
    expect(files.get('api_keys.ndjson')!.toString()).toContain('"prefix"')
    for (const [file, content] of files) {
      expect(content.toString(), file).not.toContain(token)
      expect(content.toString(), file).not.toMatch(/"[a-z_]*(secret|token|password|hash)[a-z_]*":/)
    }
  })

  test('a link that was altered, has expired, or is for nothing is not there, and nothing tells which (PRV-1)', async () => {
    const mine = await subscribed(world, 'linked')
    const { data: made } = await mine.owner.createExport({ params: { customerId: mine.customerId } })
    const path = pathOf(made.downloadUrl!)
    const [head, body, signature] = path.slice('/api/v1/exports/'.length).split('.') as [string, string, string]
    const get = (link: string) => world.send('GET', link, { key: null })
    const nothing = without(await get('/api/v1/exports/x'))
    expect(nothing).toMatch(/^404 /)
    const payload = JSON.parse(Buffer.from(body, 'base64url').toString())
    const forged = Buffer.from(JSON.stringify({ ...payload, content: { exportId: 'export_x' } })).toString('base64url')
    const other = await world.app.deps.seal.close(
      'owner-transfer',
      { exportId: made.id },
      world.clock.now().add({ hours: 1 }),
    )
    const unknown = await world.app.deps.seal.close(
      'export-link',
      { exportId: 'export_00000000000000000000000000' },
      world.clock.now().add({ hours: 1 }),
    )
    for (const token of [
      `${head}.${forged}.${signature}`,
      `${head}.${body}.${signature.slice(0, -2)}AA`,
      `${head}.${body}.`,
      other,
      unknown,
      'x'.repeat(500),
      'x'.repeat(2_000),
    ])
      expect(without(await get(`/api/v1/exports/${token}`)), token.slice(-20)).toBe(nothing)
    expect((await get(path)).status).toBe(200)
    await world.advance('P7DT1S')
    expect(without(await get(path))).toBe(nothing)
    expect((await mine.owner.listExports({ params: { customerId: mine.customerId } })).data).toMatchObject([
      { downloadUrl: null, downloads: 1 },
    ])
    expect((await auditOf(world, 'linked')).filter((action) => action === 'export.download')).toHaveLength(1)
  })

  test('is for owners, administrators and operators; for others, and for other tenants, there is none (SEC-1, CUS-2)', async () => {
    const mine = await subscribed(world, 'guarded')
    await world.tenant('curious')
    const params = { customerId: mine.customerId }
    for (const role of ['billing', 'member', 'viewer'] as const)
      await expect((await world.as(role, 'guarded')).createExport({ params })).rejects.toMatchObject({
        code: 'forbidden',
      })
    await expect((await world.as('owner', 'curious')).createExport({ params })).rejects.toMatchObject({
      code: 'not_found',
    })
    await expect((await world.as('owner', 'curious')).listExports({ params })).rejects.toMatchObject({
      code: 'not_found',
    })
    await (await world.as('admin', 'guarded')).createExport({ params })
  })

  test('one that is broken off gives its view of the database back (PRV-1)', async () => {
    const mine = await subscribed(world, 'impatient')
    await report('impatient', 900)
    const { data: made } = await mine.owner.createExport({ params: { customerId: mine.customerId } })
    for (let time = 0; time < 6; time++) {
      const ending = new AbortController()
      const response = await eventually(
        () => fetch(`${world.app.url}${pathOf(made.downloadUrl!)}`, { signal: ending.signal }),
        ({ status }) => status !== 429,
      )
      expect(response.status).toBe(200)
      ending.abort()
    }
    const { pool } = world.app.deps.db
    await eventually(
      async () => pool.totalCount - pool.idleCount,
      (busy) => busy === 0,
    )
    expect((await fetchArchive(made.downloadUrl!)).files.size).toBeGreaterThan(10)
  })
})

test('an archive holds no messages to those who run the house (PRV-1, DUN-2)', async () => {
  await world.tenant('leaving-nia')
  const support = await world.as('support')
  await support.createOverride({
    body: { tenantId: 'leaving-nia', feature: 'api_calls', set: { limit: null }, reason: 'asked for by the customer' },
  })
  const kinds = async () =>
    (
      await query<{ kind: string }>(world.app.deps.db, sql`select kind from notices where tenant_id = 'leaving-nia'`)
    ).map(({ kind }) => kind)
  await eventually(kinds, (made) => made.includes('override_requested'))
  expect((await rowsOf('leaving-nia')).get('notices')).not.toContain('override_requested')
})

test('the end of the time to look on is told at its time, though nobody asks (SUB-8, EVT-1)', async () => {
  const mia = await subscribed(world, 'leaving-mia')
  await leave(mia)
  const levels = async () =>
    (await world.operator.listEvents({ query: { tenantId: 'leaving-mia', limit: 1_000 } })).data.flatMap((event) =>
      event.type === 'entitlements.updated' ? [(event.data as { accessLevel: string }).accessLevel] : [],
    )
  expect(await eventually(levels, (seen) => seen.at(-1) === 'read_only')).not.toContain('none')
  const told = (await levels()).length
  await world.advance('P9D')
  await lapseDue(world.app.deps)
  await world.advance('P1DT1S')
  await lapseDue(world.app.deps)
  await lapseDue(world.app.deps)
  expect((await eventually(levels, (seen) => seen.length > told)).slice(told)).toEqual(['full'])
})
