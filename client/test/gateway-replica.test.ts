import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { RoutingPolicy } from '@turnpike/contract'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openReplica, type Replica, type ReplicaOptions } from '../src/gateway/index.ts'
import { createClient } from '../src/index.ts'
import { until } from './support/until.ts'
import { startWire, type Wire } from './support/wire.ts'

let wire: Wire
let folder: string
let file: string
let open: Replica[]
beforeEach(async () => {
  wire = await startWire()
  folder = mkdtempSync(join(tmpdir(), 'turnpike-replica-'))
  file = join(folder, 'replica.sqlite')
  open = []
})
afterEach(async () => {
  for (const replica of open) await replica.close()
  await wire.close()
  rmSync(folder, { recursive: true, force: true })
})

const start = async (options: Partial<ReplicaOptions> = {}): Promise<Replica> => {
  const client = createClient({ baseUrl: wire.url, credential: 'key_1', wait: async () => undefined })
  const replica = await openReplica({
    file,
    client,
    restMs: 1,
    now: () => Date.parse('2026-11-21T12:00:00Z'),
    ...options,
  })
  open.push(replica)
  return replica
}
const stop = async (replica: Replica) => {
  open = open.filter((other) => other !== replica)
  await replica.close()
}
const reached = (replica: Replica) => until(() => replica.status().position === wire.feed.at(-1)?.position)

/** The published tables, read like any other program would. */
const table = (name: 'budgets' | 'routing_policies') => {
  const db = new DatabaseSync(file, { readOnly: true })
  const rows = db.prepare(`select * from ${name}`).all()
  db.close()
  return rows.map((row) => ({ ...row }))
}
const expectedBudgets = () =>
  [...wire.budgets.values()]
    .map(({ tenantId, subscriptionId, planId, totalBudget, currentSpend, periodStart, periodEnd }) => ({
      tenant_id: tenantId,
      subscription_id: subscriptionId,
      plan_id: planId,
      total_budget: totalBudget,
      current_spend: currentSpend,
      period_start: periodStart,
      period_end: periodEnd,
    }))
    .toSorted((a, b) => (a.tenant_id < b.tenant_id ? -1 : 1))

const policy: RoutingPolicy = {
  id: 'pro_default',
  planId: 'pro',
  priority: 10,
  matchExpression: 'request.tokens < budget.remaining',
  strategy: 'first',
  targets: [{ target: 'large' }],
}

test('it begins with every page of the snapshot and goes on with the events after it', async () => {
  wire.settings.pageSize = 2
  wire.settings.policies = [policy]
  for (const tenantId of ['ana', 'bob', 'cleo', 'dora', 'emil']) wire.publish(tenantId, 'customer.created', {})
  const replica = await start()
  expect(table('budgets')).toEqual(expectedBudgets())
  expect(table('routing_policies')).toEqual([
    {
      id: 'pro_default',
      plan_id: 'pro',
      priority: 10,
      match_expression: 'request.tokens < budget.remaining',
      strategy: 'first',
      targets: '[{"target":"large"}]',
    },
  ])
  wire.publish('ana', 'subscription.created', { planId: 'pro', totalBudget: 1_000, subscriptionId: 'subscription_1' })
  wire.publish('bob', 'usage.updated', { currentSpend: 30 })
  await reached(replica)
  expect(table('budgets')).toEqual(expectedBudgets())
  expect(replica.status()).toMatchObject({ connected: true, lagMs: 0, budgets: 5, gaps: { detected: 0, healed: 0 } })
})

test('it decides from memory what the service said last', async () => {
  wire.settings.policies = [policy]
  wire.publish('ana', 'customer.created', { planId: 'pro', currentSpend: 90 })
  const replica = await start()
  expect(replica.budget.check('ana', 10)).toMatchObject({ allowed: true, remaining: 10 })
  expect(replica.route({ tokens: 9 }, 'ana')).toMatchObject({ policyId: 'pro_default', target: 'large' })
  replica.budget.spend('ana', 4)
  expect(replica.budget.check('ana', 10)).toMatchObject({ allowed: false, remaining: 6 })
  expect(replica.route({ tokens: 9 }, 'ana')).toBeNull()
  expect(replica.route({ tokens: 9 }, 'nobody')).toBeNull()
  wire.publish('ana', 'invoice.paid', { currentSpend: 0, periodStart: '2026-11-20T00:00:00Z' })
  await reached(replica)
  expect(replica.budget.check('ana', 100)).toMatchObject({ allowed: true, remaining: 100 })
})

test('a stream that breaks and repeats ends in the same tables', async () => {
  const replica = await start()
  Object.assign(wire.settings, { cutAfter: 7, repeat: 3, pieceBytes: 90 })
  wire.cutStreams()
  for (let n = 0; n < 60; n++) {
    wire.publish(`tenant_${n % 4}`, n < 4 ? 'customer.created' : 'usage.updated', { currentSpend: n })
  }
  await reached(replica)
  expect(table('budgets')).toEqual(expectedBudgets())
  expect(replica.status().gaps.detected).toBe(0)
})

test('a missing event is noticed, recorded and healed from a snapshot', async () => {
  const gaps: unknown[] = []
  wire.publish('ana', 'customer.created', {})
  wire.publish('bob', 'customer.created', {})
  const replica = await start({ onGap: (gap) => gaps.push(gap) })
  wire.publish('ana', 'usage.updated', { currentSpend: 70 }, { lost: true })
  // Carries no row: without the snapshot the lost one would never be seen.
  wire.publish('ana', 'billing.updated', null)
  await until(() => replica.status().gaps.healed === 1)
  expect(gaps).toEqual([{ tenantId: 'ana', expected: 2, received: 3 }])
  expect(replica.budget.check('ana')).toMatchObject({ currentSpend: 70 })
  expect(table('budgets')).toEqual(expectedBudgets())
  expect(replica.gaps()).toMatchObject([{ tenantId: 'ana', expected: 2, received: 3, healedAt: expect.any(String) }])
  wire.publish('ana', 'usage.updated', { currentSpend: 71 })
  await reached(replica)
  expect(replica.status().gaps).toEqual({ detected: 1, healed: 1 })
})

test('a gap that cannot be healed at once is tried again, and nothing is skipped meanwhile', async () => {
  wire.publish('ana', 'customer.created', {})
  const gaps: unknown[] = []
  const replica = await start({ onGap: (gap) => gaps.push(gap) })
  const before = replica.status().position
  let refused = 0
  wire.handlers.getGatewaySnapshot = (_request, reply) => {
    refused++
    return wire.fail(reply, 'internal_error')
  }
  wire.publish('ana', 'usage.updated', { currentSpend: 70 }, { lost: true })
  wire.publish('ana', 'billing.updated', null)
  await until(() => refused > 2)
  expect(replica.status()).toMatchObject({ position: before, gaps: { detected: 1, healed: 0 } })
  delete wire.handlers.getGatewaySnapshot
  await until(() => replica.status().gaps.healed === 1)
  expect(gaps).toHaveLength(1)
  expect(replica.budget.check('ana')).toMatchObject({ currentSpend: 70 })
})

test('a replica that was stopped goes on from its position without a new snapshot', async () => {
  wire.publish('ana', 'customer.created', {})
  const first = await start()
  wire.publish('ana', 'usage.updated', { currentSpend: 10 })
  await reached(first)
  await stop(first)
  wire.publish('ana', 'usage.updated', { currentSpend: 20 })
  wire.requests.length = 0
  const second = await start()
  expect(second.budget.check('ana').currentSpend).toBe(10)
  await reached(second)
  expect(second.budget.check('ana').currentSpend).toBe(20)
  expect(wire.requests.map(({ name }) => name)).toEqual(['streamEvents'])
  expect(wire.requests[0]!.url).toContain('after=2')
})

test('a file that has its snapshot decides also while the service is away; an empty one does not open', async () => {
  wire.publish('ana', 'customer.created', { currentSpend: 95 })
  await stop(await start())
  const { url } = wire
  await wire.close()
  const client = createClient({ baseUrl: url, credential: 'key_1', wait: async () => undefined })
  const replica = await start({ client })
  expect(replica.budget.check('ana', 6)).toMatchObject({ allowed: false, reason: 'budget_exhausted' })
  expect(replica.status().connected).toBe(false)
  await expect(start({ client, file: join(folder, 'new.sqlite') })).rejects.toMatchObject({ code: 'network_failure' })
  wire = await startWire()
})

test('an event and its position are written together or not at all', async () => {
  wire.publish('ana', 'customer.created', {})
  const replica = await start()
  const db = new DatabaseSync(file)
  db.exec(`create trigger power_cut before insert on replica_state when new.position = '2'
           begin select raise(abort, 'power cut'); end`)
  let failures = 0
  const watched = await stop(replica).then(() => start({ log: () => failures++ }))
  wire.publish('ana', 'usage.updated', { currentSpend: 50 })
  await until(() => failures > 1)
  expect(table('budgets')).toMatchObject([{ current_spend: 0 }])
  expect(watched.budget.check('ana').currentSpend).toBe(0)
  db.exec('drop trigger power_cut')
  db.close()
  await reached(watched)
  expect(table('budgets')).toMatchObject([{ current_spend: 50 }])
})

test('a replica killed at any moment goes on to the same tables', async () => {
  for (let n = 0; n < 5; n++) wire.publish(`tenant_${n}`, 'customer.created', {})
  await stop(await start())
  let published = 5
  for (let kill = 0; kill < 3; kill++) {
    const child = fork(new URL('./support/replica-process.ts', import.meta.url), [wire.url, file], { silent: true })
    const exited = once(child, 'exit')
    const applied = new Promise<void>((resolve) => child.on('message', () => resolve()))
    // Killed in the midst of a long run of events, wherever it then is.
    for (let n = 0; n < 400; n++) wire.publish(`tenant_${n % 5}`, 'usage.updated', { currentSpend: ++published })
    await applied
    child.kill('SIGKILL')
    await exited
  }
  const replica = await start()
  await reached(replica)
  expect(table('budgets')).toEqual(expectedBudgets())
  expect(replica.status().gaps.detected).toBe(0)
})

test('a position that the service does not know any more leads to a new snapshot', async () => {
  wire.publish('ana', 'customer.created', {})
  await stop(await start())
  wire.publish('ana', 'usage.updated', { currentSpend: 33 })
  wire.faults.push((_request, reply) => wire.fail(reply, 'invalid_request'))
  const replica = await start()
  await reached(replica)
  expect(replica.budget.check('ana').currentSpend).toBe(33)
  expect(wire.requests.filter(({ name }) => name === 'getGatewaySnapshot')).toHaveLength(2)
})

test('a plan that was not seen before brings its routing policies', async () => {
  wire.publish('ana', 'customer.created', {})
  const replica = await start()
  wire.settings.policies = [policy]
  wire.publish('ana', 'subscription.created', { planId: 'pro' })
  await until(() => replica.route({ tokens: 1 }, 'ana') !== null)
  expect(table('routing_policies')).toHaveLength(1)
  wire.publish('ana', 'usage.updated', { currentSpend: 1 })
  await reached(replica)
  expect(wire.requests.filter(({ name }) => name === 'getGatewaySnapshot')).toHaveLength(2)
})

test('routing policies that changed for a known plan are read again in time', async () => {
  wire.settings.policies = [policy]
  wire.publish('ana', 'customer.created', { planId: 'pro' })
  const replica = await start({ policiesEveryMs: 5 })
  wire.settings.policies = [{ ...policy, targets: [{ target: 'small' }] }]
  await until(() => replica.route({ tokens: 1 }, 'ana')?.target === 'small')
})
