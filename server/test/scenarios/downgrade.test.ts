import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { followRemediationsDue } from '../../src/flows/follow-remediations.ts'
import { findCounterDifferences } from '../../src/modules/usage/index.ts'
import { stripeOf } from '../support/pay.ts'
import { advanceBilling, auditOf, type Subscriber, statusOf, subscribed } from '../support/story.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

/** Acme with a rule of its own for each plan that one may change down to: Starter blocks as the policies say. */
const acme = readFileSync(new URL('../../../catalog/acme.yaml', import.meta.url), 'utf8')
const withRule = (source: string, plan: string, rule: string) =>
  source.replace(new RegExp(`(\\n  ${plan}:\\n    name: .*\\n)`), `$1    changes: { overLimit: ${rule} }\n`)
const folder = mkdtempSync(join(tmpdir(), 'turnpike-downgrade-'))
const catalog = join(folder, 'acme.yaml')
writeFileSync(catalog, withRule(withRule(acme, 'pro', 'cleanup_window'), 'classic', 'soft_lock'))

let world: World
beforeAll(async () => {
  world = await startWorld({ env: { TURNPIKE_CATALOG: catalog } })
})
afterAll(async () => {
  const differences = world && (await findCounterDifferences(world.app.deps.db, 10))
  await world?.stop()
  rmSync(folder, { recursive: true })
  expect(differences).toEqual([])
})

const tick = () => followRemediationsDue(world.app.deps)
const days = (start: string, count: number) => Temporal.Instant.from(start).add({ hours: 24 * count })
const advanceTo = (at: Temporal.Instant) =>
  world.advance(world.clock.now().until(at, { largestUnit: 'hour' }).toString())
let reports = 0
/** The product says how many projects there are. */
const projects = async ({ tenantId }: Subscriber, quantity: number, at?: string) => {
  const service = await world.as('service')
  await service.reportUsage({
    body: { tenantId, meter: 'projects_in_use', quantity, idempotencyKey: `level-${++reports}`, ...(at ? { at } : {}) },
  })
}
const oneMore = async ({ owner }: Subscriber) =>
  (await owner.check({ body: { feature: 'projects' } })).data.decisions[0]!
type Told = { type: string; plan: string; deadline: string | null; items: { feature: string; used: number }[] }
const told = (tenantId: string, holds: (seen: Told[]) => boolean) =>
  eventually(
    async () =>
      (await world.operator.listEvents({ query: { tenantId, limit: 1_000 } })).data
        .filter(({ type }) => type.startsWith('downgrade.'))
        .map(({ type, data }) => ({
          ...(data as Omit<Told, 'type'>),
          type: type.slice('downgrade.remediation_'.length),
        })),
    holds,
  )
const typesOf = (seen: Told[]) => seen.map(({ type }) => type)
/** Somebody changes the plan in the provider's own pages, where no guard of ours stands. */
const changeAtProvider = async ({ providerSubscriptionId }: Subscriber, lookupPart: string) => {
  const stripe = stripeOf(world)
  const { data: prices } = await stripe.prices.list({ active: true, limit: 100 })
  const price = prices.find(({ lookup_key: key }) => key?.includes(lookupPart) && !key.includes('seat'))!
  const subscription = await stripe.subscriptions.retrieve(providerSubscriptionId)
  await stripe.subscriptions.update(providerSubscriptionId, {
    items: [{ id: subscription.items.data[0]!.id, price: price.id, quantity: 1 }],
    proration_behavior: 'none',
  })
}
const change = ({ owner, subscriptionId }: Subscriber, body: object) =>
  owner.commandSubscription({ params: { subscriptionId }, body: { action: 'change', ...body } as never, retries: 0 })

describe('a smaller plan than what is in use (SUB-5)', () => {
  test('a level answers used and remaining, and is kept over renewals', async () => {
    const ada = await subscribed(world, 'level-ada')
    expect(await oneMore(ada)).toMatchObject({ allowed: true, limit: 20, used: 0, remaining: 20 })
    await projects(ada, 19)
    expect(await oneMore(ada)).toMatchObject({ allowed: true, used: 19, remaining: 1 })
    const now = world.clock.now()
    // What was so an hour ago changes nothing, whenever it is told.
    await projects(ada, 3, now.subtract({ hours: 1 }).toString())
    expect(await oneMore(ada)).toMatchObject({ used: 19 })
    await projects(ada, 20)
    expect(await oneMore(ada)).toMatchObject({ allowed: false, reason: 'limit_reached', used: 20, remaining: 0 })
    await advanceBilling(world, 'P1M')
    expect(await oneMore(ada)).toMatchObject({ allowed: false, used: 20 })
    const { data: usage } = await ada.owner.getUsage({ query: {} })
    expect(usage.meters.find(({ meter }) => meter === 'projects_in_use')).toMatchObject({
      feature: 'projects',
      used: 20,
      limit: 20,
      remaining: 0,
      percent: 100,
    })
  })

  test('block: the change is refused with the list of what to reduce, and goes through when that is done', async () => {
    const bob = await subscribed(world, 'blocked-bob')
    await projects(bob, 12)
    const item = { feature: 'projects', name: 'Projects', kind: 'level', used: 12, limit: 5, reduceBy: 7 }
    const { data: shown } = await bob.owner.previewSubscription({
      params: { subscriptionId: bob.subscriptionId },
      body: { action: 'change', plan: 'starter' },
      retries: 0,
    })
    expect(shown.guardrails).toEqual([item])
    await expect(change(bob, { plan: 'starter' })).rejects.toMatchObject({ code: 'downgrade_blocked' })
    expect((await statusOf(bob.owner)).pendingChange).toBeNull()
    await projects(bob, 5)
    await change(bob, { plan: 'starter' })
    await statusOf(bob.owner, (seen) => seen.pendingChange?.to?.plan === 'starter')
  })

  test('cleanup window: the old limit stays, the reduction in time is seen, and the new limit holds', async () => {
    const cleo = await subscribed(world, 'cleanup-cleo', { plan: 'scale', price: 'monthly' })
    await projects(cleo, 60)
    await change(cleo, { plan: 'pro' })
    await advanceBilling(world, 'P1M')
    const seen = await statusOf(cleo.owner, ({ remediation }) => remediation !== null)
    const { startedAt, deadline } = seen.remediation!
    expect(seen).toMatchObject({
      plan: { plan: 'pro' },
      remediation: {
        kind: 'cleanup_window',
        enforced: false,
        items: [{ feature: 'projects', used: 60, limit: 20, reduceBy: 40 }],
      },
    })
    expect(deadline).toBe(days(startedAt, 14).toString())
    expect(seen.nextActions.find(({ action }) => action === 'reduce_usage')?.sentence).toContain('Projects by 40')
    expect(await oneMore(cleo)).toMatchObject({ allowed: true, limit: 200, used: 60 })
    await projects(cleo, 25)
    expect((await statusOf(cleo.owner)).remediation?.items).toMatchObject([{ used: 25, reduceBy: 5 }])
    await advanceTo(days(deadline!, -7))
    await tick()
    await tick()
    await projects(cleo, 20)
    expect((await statusOf(cleo.owner)).remediation).toBeNull()
    await tick()
    const events = await told(cleo.tenantId, (types) => types.length === 3)
    expect(typesOf(events)).toEqual(['started', 'reminded', 'met'])
    expect(await oneMore(cleo)).toMatchObject({ allowed: false, limit: 20, used: 20, reason: 'limit_reached' })
    expect((await auditOf(world, cleo.tenantId)).filter((action) => action.startsWith('downgrade.'))).toEqual([
      'downgrade.remediation_started',
      'downgrade.remediation_reminded',
      'downgrade.remediation_met',
    ])
  })

  test('cleanup window: at the deadline the new limit holds, exactly on time, and nothing is destroyed', async () => {
    const dan = await subscribed(world, 'late-dan', { plan: 'scale', price: 'monthly' })
    await projects(dan, 60)
    await change(dan, { plan: 'pro' })
    await advanceBilling(world, 'P1M')
    const { remediation } = await statusOf(dan.owner, (seen) => seen.remediation !== null)
    const deadline = Temporal.Instant.from(remediation!.deadline!)
    await advanceTo(deadline.subtract({ minutes: 1 }))
    expect(await oneMore(dan)).toMatchObject({ allowed: true, limit: 200 })
    await world.advance('PT1M')
    // No job has run: the check itself switches.
    expect(await oneMore(dan)).toMatchObject({
      allowed: false,
      limit: 20,
      used: 60,
      reason: 'over_limit_after_downgrade',
    })
    // What there is can be used: only more is not let in.
    const { data } = await dan.owner.check({ body: { feature: 'projects', quantity: 0 } })
    expect(data.allowed).toBe(true)
    await tick()
    const events = await told(dan.tenantId, (types) => types.some(({ type }) => type === 'enforced'))
    expect(typesOf(events).filter((type) => type === 'enforced')).toHaveLength(1)
    expect(events.at(-1)).toMatchObject({
      plan: 'pro',
      deadline: deadline.toString(),
      items: [{ used: 60, limit: 20 }],
    })
    expect((await statusOf(dan.owner)).remediation).toMatchObject({ enforced: true, items: [{ reduceBy: 40 }] })
    const { data: why } = await dan.owner.explain({ params: { feature: 'projects' }, query: {} })
    expect(why.steps.at(-1)).toMatchObject({ source: 'policy', decided: true })
    await projects(dan, 18)
    await tick()
    await told(dan.tenantId, (types) => types.at(-1)?.type === 'met')
    expect(await oneMore(dan)).toMatchObject({ allowed: true, limit: 20, used: 18 })
  })

  test('soft lock: the new limit holds at once, nothing new is let in, and it ends when all fits', async () => {
    const eve = await subscribed(world, 'locked-eve')
    await projects(eve, 15)
    await changeAtProvider(eve, 'classic')
    const seen = await statusOf(eve.owner, ({ plan }) => plan.plan === 'classic')
    expect(seen.remediation).toMatchObject({ kind: 'soft_lock', deadline: null, enforced: true })
    expect(await oneMore(eve)).toMatchObject({
      allowed: false,
      limit: 10,
      used: 15,
      reason: 'over_limit_after_downgrade',
    })
    await world.advance('P20D')
    await tick()
    expect(typesOf(await told(eve.tenantId, () => true))).toEqual(['started'])
    await projects(eve, 9)
    await tick()
    expect(typesOf(await told(eve.tenantId, (types) => types.length === 2))).toEqual(['started', 'met'])
    expect(await oneMore(eve)).toMatchObject({ allowed: true })
  })

  test('made in the provider’s pages, a change that would have been blocked gets a cleanup window', async () => {
    const fay = await subscribed(world, 'portal-fay')
    await projects(fay, 12)
    await changeAtProvider(fay, 'starter')
    const seen = await statusOf(fay.owner, ({ plan }) => plan.plan === 'starter')
    expect(seen.remediation).toMatchObject({ kind: 'cleanup_window', items: [{ used: 12, limit: 5 }] })
    expect(await oneMore(fay)).toMatchObject({ allowed: true, limit: 20 })
    // Up again before the deadline: there is nothing to clean up any more.
    await changeAtProvider(fay, 'pro_monthly')
    await statusOf(fay.owner, ({ plan, remediation }) => plan.plan === 'pro' && remediation === null)
    expect(await auditOf(world, fay.tenantId)).toContain('downgrade.remediation_replaced')
    await world.advance('P20D')
    await tick()
    expect(typesOf(await told(fay.tenantId, () => true))).toEqual(['started'])
  })

  test('more came into use between the agreement and the end of the period: the window begins with the new period', async () => {
    const gil = await subscribed(world, 'grown-gil')
    await projects(gil, 4)
    await change(gil, { plan: 'starter' })
    const { period } = await statusOf(gil.owner, (seen) => seen.pendingChange?.to?.plan === 'starter')
    await projects(gil, 9)
    await advanceBilling(world, 'P1M')
    const seen = await statusOf(gil.owner, ({ remediation, plan }) => remediation !== null && plan.plan === 'starter')
    expect(seen.plan.plan).toBe('starter')
    expect(seen.remediation).toMatchObject({ startedAt: period!.end, deadline: days(period!.end, 14).toString() })
  })

  test('nobody was there for reminder and deadline: it is enforced once, at its own time', async () => {
    const hui = await subscribed(world, 'absent-hui', { plan: 'scale', price: 'monthly' })
    await projects(hui, 60)
    await change(hui, { plan: 'pro' })
    await advanceBilling(world, 'P1M')
    await statusOf(hui.owner, (seen) => seen.remediation !== null)
    await world.advance('P25D')
    await Promise.all([tick(), tick(), oneMore(hui), oneMore(hui)])
    await tick()
    expect(typesOf(await told(hui.tenantId, (types) => types.length > 1))).toEqual(['started', 'enforced'])
  })

  test('who buys some of what is too much keeps the time for the rest', async () => {
    const kim = await subscribed(world, 'buys-kim')
    await projects(kim, 19)
    await changeAtProvider(kim, 'starter')
    const { remediation } = await statusOf(kim.owner, (seen) => seen.remediation !== null)
    expect(await oneMore(kim)).toMatchObject({ allowed: true, limit: 20 })
    // Ten more projects are not enough for nineteen.
    await world.advance('P1D')
    const stripe = stripeOf(world)
    const { data: prices } = await stripe.prices.list({ active: true, limit: 100 })
    const addOn = prices.find(({ lookup_key: key }) => key?.includes('extra_projects') && key.includes('monthly'))!
    await stripe.subscriptions.update(kim.providerSubscriptionId, {
      items: [{ price: addOn.id, quantity: 1 }],
      proration_behavior: 'none',
    })
    await eventually(
      async () => (await kim.owner.getStatus({ query: {} })).data.subscription?.addOns,
      (addOns) => addOns?.length === 1,
    )
    expect((await statusOf(kim.owner)).remediation).toMatchObject({
      deadline: remediation!.deadline,
      items: [{ used: 19, limit: 15, reduceBy: 4 }],
    })
    expect(await oneMore(kim)).toMatchObject({ allowed: true, limit: 20 })
    await projects(kim, 14)
    await tick()
    expect(typesOf(await told(kim.tenantId, (types) => types.length === 2))).toEqual(['started', 'met'])
  })

  test('the subscription ends: there is nothing to reduce for it any more', async () => {
    const ian = await subscribed(world, 'leaving-ian')
    await projects(ian, 12)
    await changeAtProvider(ian, 'starter')
    await statusOf(ian.owner, ({ remediation }) => remediation !== null)
    await stripeOf(world).subscriptions.cancel(ian.providerSubscriptionId)
    await statusOf(ian.owner, ({ status, remediation }) => status === 'no_subscription' && remediation === null)
    await tick()
    expect(typesOf(await told(ian.tenantId, () => true))).toEqual(['started'])
    expect(await auditOf(world, ian.tenantId)).toContain('downgrade.remediation_ended')
  })
})
