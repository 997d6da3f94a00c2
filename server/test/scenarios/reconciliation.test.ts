import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { continueRun, startRun } from '../../src/flows/reconcile.ts'
import { repairFinding } from '../../src/flows/repair-finding.ts'
import type { PaymentProvider } from '../../src/modules/payments/index.ts'
import { systemActor } from '../../src/platform/audit.ts'
import { payCheckout, stripeOf } from '../support/pay.ts'
import {
  advanceBilling,
  auditOf,
  eventsOf,
  type Subscriber,
  statusOf,
  subscribed,
  untilQuiet,
  useCard,
} from '../support/story.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

let world: World
let owner: pg.Client
beforeAll(async () => {
  world = await startWorld()
  owner = new pg.Client(world.database.url)
  await owner.connect()
})
afterEach(() => world.control('DELETE', '/sandbox/faults'))
afterAll(async () => {
  await owner?.end()
  await world?.stop()
})

/** From now on nothing is told. What was told before is applied first: whatever waits is not looked at as a difference. */
const loseWebhooks = async () => {
  await untilQuiet(world)
  await world.control('POST', '/sandbox/faults', { kind: 'webhook', action: 'drop' })
}
const runOf = async (runId: string) => (await world.operator.getReconciliation({ params: { runId } })).data
const finished = (runId: string) =>
  eventually(
    () => runOf(runId),
    ({ state }) => state !== 'running',
    30_000,
  )
const reconcile = async (tenantId?: string) => {
  const { data } = await world.operator.startReconciliation({ body: tenantId ? { tenantId } : {} })
  return finished(data.id)
}
const findingsOf = async (tenantId: string) =>
  (await world.operator.listFindings({ query: { tenantId, limit: 200 } })).data
const kindsOf = async (tenantId: string) => (await findingsOf(tenantId)).map(({ kind }) => kind).sort()
const priceOf = async (lookFor: RegExp) =>
  (await stripeOf(world).prices.list({ limit: 100 })).data.find(({ lookup_key }) => lookFor.test(lookup_key ?? ''))!.id
const changePlan = async (of: Subscriber, price: string) => {
  const { items } = await stripeOf(world).subscriptions.retrieve(of.providerSubscriptionId)
  await stripeOf(world).subscriptions.update(of.providerSubscriptionId, { items: [{ id: items.data[0]!.id, price }] })
}

test('every webhook of a day and of a renewal is lost: reconciliation alone recovers all of it (REC-1, REC-3)', async () => {
  const [upgrader, leaver, failing] = [
    await subscribed(world, 'lost-upgrade', { plan: 'starter', price: 'monthly' }),
    await subscribed(world, 'lost-cancel'),
    await subscribed(world, 'lost-renewal'),
  ]
  const buyer = await world.tenant('lost-purchase')
  const { data: session } = await buyer.createSession({
    body: { plan: 'pro', price: 'monthly', returnUrl: 'http://127.0.0.1:9999/back' },
  })
  await loseWebhooks()
  await payCheckout(world, session.sessionUrl)
  await changePlan(upgrader, await priceOf(/^acme_pro_monthly_usd_/))
  await stripeOf(world).subscriptions.update(leaver.providerSubscriptionId, { cancel_at_period_end: true })
  await world.advance('P1D')
  expect((await statusOf(upgrader.owner)).plan).toMatchObject({ plan: 'starter' })
  expect((await statusOf(leaver.owner)).pendingChange).toBeNull()

  expect(await reconcile()).toMatchObject({ state: 'done' })
  await statusOf(buyer, ({ status, plan }) => status === 'active' && plan.plan === 'pro')
  expect((await buyer.getCheckout({ params: { checkoutId: session.checkoutId! } })).data.state).toBe('completed')
  expect(await kindsOf('lost-purchase')).toContain('customer_without_subscription')
  expect((await statusOf(upgrader.owner)).plan).toMatchObject({ plan: 'pro' })
  expect(await kindsOf('lost-upgrade')).toEqual(expect.arrayContaining(['plan_differs']))
  expect((await statusOf(leaver.owner)).pendingChange).toMatchObject({ kind: 'cancellation' })

  await useCard(world, failing, 'pm_card_chargeCustomerFail')
  await advanceBilling(world, 'P1M')
  expect((await statusOf(failing.owner)).status).toBe('active')
  expect(await reconcile()).toMatchObject({ state: 'done' })
  expect((await statusOf(failing.owner)).status).toBe('past_due')
  expect((await statusOf(leaver.owner)).status).not.toBe('active')
  // What happened is told as if the webhooks had come, and the operator's matter is kept out of the feed.
  const events = await eventsOf(world, 'lost-renewal')
  expect(events).toEqual(expect.arrayContaining(['subscription.updated', 'invoice.payment_failed']))
  expect(events.some((type) => type.startsWith('finding'))).toBe(false)
  expect(await auditOf(world, 'lost-renewal')).toEqual(expect.arrayContaining(['finding.opened', 'finding.repaired']))
  expect((await findingsOf('lost-renewal')).filter(({ state }) => state === 'open')).toEqual([])
  expect(await reconcile()).toMatchObject({ state: 'done', found: 0 })
}, 120_000)

test('the process that runs it dies in the middle: another one goes on where it was (REC-1)', async () => {
  await subscribed(world, 'resumed')
  const other = await world.another({ TURNPIKE_ONLY: 'api' })
  const { provider } = other.deps
  let stuck = false
  // It never comes back from its first page of invoices.
  const hanging: PaymentProvider = {
    ...provider,
    listing: {
      ...provider.listing,
      invoices: () => {
        stuck = true
        return new Promise(() => {})
      },
    },
  }
  const actor = systemActor('test', 'resumed')
  let run = await startRun(other.deps, actor, { scope: 'all' })
  void continueRun({ ...other.deps, provider: hanging }, run.runId, 100)
  // The worker of the world may have been faster; then it is begun once more.
  for (let tries = 0; tries < 20 && !(await becameStuck(() => stuck, run.runId)); tries++) {
    run = await startRun(other.deps, actor, { scope: 'all' })
    void continueRun({ ...other.deps, provider: hanging }, run.runId, 100)
  }
  const before = await runOf(run.runId)
  expect(before).toMatchObject({ state: 'running', phase: 'provider_invoices' })
  const subscriptions = before.progress.find(({ phase }) => phase === 'provider_subscriptions')!
  expect(subscriptions).toMatchObject({ done: true })
  expect(subscriptions.looked).toBeGreaterThan(0)

  await other.stop()
  const after = await finished(run.runId)
  expect(after).toMatchObject({ state: 'done', failure: null })
  // Gone on, not begun again.
  expect(after.progress.find(({ phase }) => phase === 'provider_subscriptions')).toEqual(subscriptions)
  expect(after.progress.every(({ done }) => done)).toBe(true)
}, 60_000)

const becameStuck = async (isStuck: () => boolean, runId: string): Promise<boolean> => {
  await eventually(
    async () => isStuck() || (await runOf(runId)).state !== 'running',
    (over) => over,
  )
  return isStuck()
}

test('support reconciles one customer, and may not reconcile everybody (REC-1, SEC-1)', async () => {
  const customer = await subscribed(world, 'on-demand')
  await loseWebhooks()
  await stripeOf(world).subscriptions.update(customer.providerSubscriptionId, { cancel_at_period_end: true })
  const support = await world.as('support')
  await expect(support.startReconciliation({ body: {} })).rejects.toMatchObject({ code: 'forbidden' })
  const { data: run } = await support.startReconciliation({ body: { tenantId: 'on-demand' } })
  expect(await finished(run.id)).toMatchObject({ state: 'done', scope: 'tenant', found: 1, repaired: 1 })
  expect((await statusOf(customer.owner)).pendingChange).toMatchObject({ kind: 'cancellation' })
  const [finding] = await findingsOf('on-demand')
  expect(finding).toMatchObject({
    kind: 'cancellation_differs',
    state: 'repaired',
    here: { endsAt: null },
    reason: 'repaired by policy',
  })
  await expect(
    support.dismissFinding({ params: { findingId: finding!.id }, body: { reason: 'not mine to say' } }),
  ).rejects.toMatchObject({ code: 'forbidden' })
})

test('the provider goes away during a run: it waits where it is, and nobody loses anything (REC-1, SUB-2)', async () => {
  const customer = await subscribed(world, 'silent-provider')
  await world.control('POST', '/sandbox/faults', { kind: 'api', action: 'outage' })
  const { data: begun } = await world.operator.startReconciliation({ body: {} })
  await eventually(
    () => runOf(begun.id),
    ({ waitsFor }) => waitsFor === 'provider',
    30_000,
  )
  expect(await runOf(begun.id)).toMatchObject({ state: 'running', phase: 'provider_subscriptions', found: 0 })
  expect((await statusOf(customer.owner)).status).toBe('active')
  // Who asks for another one gets this one.
  expect((await world.operator.startReconciliation({ body: {} })).data.id).toBe(begun.id)

  await world.control('DELETE', '/sandbox/faults')
  expect(
    await eventually(
      () => runOf(begun.id),
      ({ state }) => state !== 'running',
      60_000,
    ),
  ).toMatchObject({
    state: 'done',
    found: 0,
  })
  expect(await findingsOf('silent-provider')).toEqual([])
}, 120_000)

test('what the provider does not know is ended only by a person, with a reason, and once (REC-2)', async () => {
  const customer = await subscribed(world, 'unknown-there')
  await owner.query(
    `update subscriptions set provider_subscription_id = 'sub_of_a_lost_account' where tenant_id = $1`,
    ['unknown-there'],
  )
  // Its real one is there as well: that one is taken over by itself, this one is not ended.
  await stripeOf(world).subscriptions.cancel(customer.providerSubscriptionId)
  await reconcile('unknown-there')
  await reconcile('unknown-there')
  const { data: subscriptions } = await world.operator.listSubscriptions({ query: { tenantId: 'unknown-there' } })
  expect(subscriptions.find(({ id }) => id === customer.subscriptionId)?.status).toBe('active')
  const finding = (await findingsOf('unknown-there')).find(({ state }) => state === 'open')!
  expect(finding).toMatchObject({ kind: 'subscription_missing_at_provider', repair: 'end_here', severity: 'critical' })
  expect(await kindsOf('unknown-there')).not.toContain('two_subscriptions')

  const params = { findingId: finding.id }
  const body = { reason: 'The old account was closed' }
  await world.control('POST', '/sandbox/faults', { kind: 'api', action: 'outage' })
  await expect(world.operator.repairFinding({ params, body })).rejects.toMatchObject({ code: 'provider_unavailable' })
  await world.control('DELETE', '/sandbox/faults')
  const repaired = await eventually(
    () =>
      world.operator
        .repairFinding({ params, body })
        .then(({ data }) => data)
        .catch(() => null),
    (data) => data !== null,
    40_000,
  )
  expect(repaired).toMatchObject({ state: 'repaired', reason: 'The old account was closed' })
  expect((await world.operator.repairFinding({ params, body })).data).toEqual(repaired)
  expect((await statusOf(customer.owner)).status).toBe('no_subscription')
  const audit = await auditOf(world, 'unknown-there')
  expect(
    audit.filter((action) => action === 'finding.repaired' || action === 'subscription.canceled').length,
  ).toBeGreaterThan(1)
  await expect(world.operator.acceptFinding({ params, body })).rejects.toMatchObject({ code: 'finding_closed' })
  expect(await reconcile('unknown-there')).toMatchObject({ found: 0 })
}, 90_000)

test('what is on its way is no alarm, and one that waits too long is (REC-2, REC-3)', async () => {
  const customer = await subscribed(world, 'in-flight')
  await loseWebhooks()
  await changePlan(customer, await priceOf(/^acme_starter_monthly_usd_/))
  // A webhook about it waits for its next attempt.
  await owner.query(
    `insert into webhook_inbox (provider, event_id, type, object_id, provider_customer_id, state, received_at, due_at)
     values ('stripe', 'evt_in_flight', 'customer.subscription.updated', 'sub_x', $1, 'retrying', $2, $3)`,
    [customer.providerCustomerId, world.clock.now().toString(), world.clock.now().add({ hours: 5 }).toString()],
  )
  expect(await reconcile('in-flight')).toMatchObject({ state: 'done', found: 0, repaired: 0 })
  expect(await findingsOf('in-flight')).toEqual([])
  await world.advance('PT16M')
  expect((await reconcile('in-flight')).repaired).toBeGreaterThan(0)
  expect(await kindsOf('in-flight')).toContain('plan_differs')
  expect((await statusOf(customer.owner)).plan).toMatchObject({ plan: 'starter' })
})

test('accepted stays closed while it looks the same; dismissed is found again (REC-2)', async () => {
  await subscribed(world, 'meant')
  const service = await world.as('service')
  const report = { tenantId: 'meant', meter: 'api_calls', quantity: 5 }
  await service.reportUsage({ body: { ...report, idempotencyKey: 'a' } })
  await owner.query(`update usage_counters set used = used + 7 where tenant_id = $1 and span = 'period'`, ['meant'])
  await reconcile('meant')
  const [first] = await findingsOf('meant')
  expect(first).toMatchObject({ kind: 'counter_differs', here: { counted: '12' }, there: { recorded: '5' } })
  const body = { reason: 'looked at' }
  await world.operator.dismissFinding({ params: { findingId: first!.id }, body })
  expect(await reconcile('meant')).toMatchObject({ found: 1 })
  const [second] = await findingsOf('meant')
  await world.operator.acceptFinding({ params: { findingId: second!.id }, body })
  expect(await reconcile('meant')).toMatchObject({ found: 0 })
  expect((await findingsOf('meant')).map(({ state }) => state)).toEqual(['accepted', 'dismissed'])
  const figures = async () => (await world.operator.getReconciliationFigures()).data
  expect((await figures()).openByKind.counter_differs).toBeUndefined()

  // It looks different now, so it is open again; the repair sets it to its records.
  await owner.query(`update usage_counters set used = used + 1 where tenant_id = $1 and span = 'period'`, ['meant'])
  await reconcile('meant')
  expect(await figures()).toMatchObject({ openFindings: 1, openByKind: { counter_differs: 1 } })
  await world.operator.repairFinding({ params: { findingId: second!.id }, body })
  expect(await auditOf(world, 'meant')).toEqual(
    expect.arrayContaining(['finding.dismissed', 'finding.accepted', 'finding.reopened', 'usage.counter_rebuilt']),
  )
  expect(await reconcile('meant')).toMatchObject({ found: 0 })
  expect(
    (await service.getUsage({ query: { tenantId: 'meant' } })).data.meters.find(({ meter }) => meter === 'api_calls')
      ?.used,
  ).toBe(5)
})

test('what is repaired by hand overwrites nothing newer that a webhook has told meanwhile (REC-2, WEB-3)', async () => {
  const customer = await subscribed(world, 'repaired-and-told')
  await owner.query(
    `insert into findings (tenant_id, finding_id, kind, object, here, there, repair, state, first_seen_at, last_seen_at)
     values ($1, 'finding_raced', 'quantity_differs', $2, '{}', '{}', 'resync', 'open', now(), now())`,
    [customer.tenantId, customer.subscriptionId],
  )
  const { deps } = world.app
  let raced = 0
  const fetchSubscription: PaymentProvider['fetchSubscription'] = async (id) => {
    const seen = await deps.provider.fetchSubscription(id)
    raced++
    await stripeOf(world).subscriptions.update(customer.providerSubscriptionId, { cancel_at_period_end: true })
    // As long as the look is under way, its webhook is not applied.
    const told = async () => (await customer.owner.getStatus({ query: {} })).data.endsAt
    await eventually(told, (endsAt) => endsAt !== null, 1_500).catch(() => {})
    return seen
  }
  const racing = { ...deps, provider: { ...deps.provider, fetchSubscription } }
  // While a webhook waits, the second look says nothing about the provider's side: the finding stays until the next one.
  const repair = repairFinding(racing, systemActor('test', 'raced'), 'finding_raced', 'Looked at by hand')
  await repair.catch(({ code }) => expect(code).toBe('finding_persists'))
  expect(raced).toBeGreaterThan(0)
  await statusOf(customer.owner, ({ endsAt }) => endsAt !== null)
  expect(await auditOf(world, customer.tenantId)).not.toContain('subscription.adopted')
})

test('runs are listed newest first, also those that were begun under a key (REC-1)', async () => {
  const begun: string[] = []
  for (const n of [1, 2, 3, 4, 5, 6]) {
    const { data } = await world.operator.startReconciliation({
      body: { tenantId: 'on-demand' },
      ...(n % 2 === 0 ? { idempotencyKey: `run-${n}` } : {}),
    })
    await finished(data.id)
    begun.unshift(data.id)
    await world.advance('PT1S')
  }
  const listed: string[] = []
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<typeof world.operator.listReconciliations>> =
      await world.operator.listReconciliations({
        query: { tenantId: 'on-demand', limit: 2, ...(cursor ? { cursor } : {}) },
      })
    listed.push(...page.data.map(({ id }) => id))
    cursor = page.meta.cursor ?? null
  } while (cursor)
  expect(listed.slice(0, 6)).toEqual(begun)
})

test('a light run leaves counters to the sample; a full run compares all of them (REC-1, USE-4)', async () => {
  const { tenantId } = await subscribed(world, 'drifted')
  await world.operator.reportUsage({ body: { tenantId, meter: 'api_calls', quantity: 3, idempotencyKey: 'three' } })
  await owner.query("update usage_counters set used = used + 5 where tenant_id = $1 and span = 'period'", [tenantId])
  const { data: light } = await world.operator.startReconciliation({ body: { scope: 'light' } })
  expect((await finished(light.id)).progress.map(({ phase }) => phase)).not.toContain('counters')
  expect(await kindsOf(tenantId)).toEqual([])
  expect((await reconcile()).progress.map(({ phase }) => phase)).toContain('counters')
  expect(await kindsOf(tenantId)).toEqual(['counter_differs'])
})
