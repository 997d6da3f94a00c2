import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { followDunningDue } from '../../src/flows/follow-dunning.ts'
import { stripeOf } from '../support/pay.ts'
import { advanceBilling, auditOf, eventsOf, type Subscriber, statusOf, subscribed, useCard } from '../support/story.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.stop())

const failing = 'pm_card_chargeCustomerFail'
type Settings = { retryDays: number[]; afterRetries: 'cancel' | 'unpaid' | 'past_due' }
const provider = (settings: Settings) => world.control('POST', '/sandbox/settings', settings)
const tick = () => followDunningDue(world.app.deps)

/** A subscriber whose renewal has just failed; the provider will try again by its own plan. */
const unpaid = async (tenantId: string, settings: Settings, card = failing): Promise<Subscriber> => {
  await provider(settings)
  const subscriber = await subscribed(world, tenantId)
  await useCard(world, subscriber, card)
  await advanceBilling(world, 'P1M')
  await statusOf(subscriber.owner, (seen) => seen.dunning !== null)
  return subscriber
}
const advanceTo = (at: Temporal.Instant) =>
  world.advance(world.clock.now().until(at, { largestUnit: 'hour' }).toString())

type Told = { type: string; stage?: string; since?: string; nextStage?: string | null; outcome?: string }
const toldOf = async (tenantId: string): Promise<Told[]> =>
  (await world.operator.listEvents({ query: { tenantId, limit: 1_000 } })).data
    .filter(({ type }) => type.startsWith('dunning.'))
    .map(({ type, data }) => ({ type, ...(data as object) }))
const told = (tenantId: string, holds: (seen: string[]) => boolean) =>
  eventually(
    async () =>
      (await toldOf(tenantId)).map(({ type, stage }) => `${type.slice('dunning.'.length)} ${stage ?? ''}`.trim()),
    holds,
  )
const openInvoice = async ({ providerSubscriptionId }: Subscriber) => {
  const { data } = await stripeOf(world).invoices.list({ subscription: providerSubscriptionId, status: 'open' })
  return data[0]!
}
const startOf = async (subscriber: Subscriber): Promise<Temporal.Instant> =>
  Temporal.Instant.fromEpochMilliseconds((await openInvoice(subscriber)).status_transitions.finalized_at! * 1_000)
const days = (start: Temporal.Instant, count: number) => start.add({ hours: 24 * count })
const pay = async (subscriber: Subscriber) => {
  await useCard(world, subscriber, 'pm_card_visa')
  await stripeOf(world).invoices.pay((await openInvoice(subscriber)).id!)
}
const may = async ({ owner }: Subscriber, feature: string) =>
  (await owner.check({ body: { feature } })).data.decisions[0]!

describe('an invoice stays unpaid (DUN-1)', () => {
  test('each stage begins on the clock, in checks, status, events and audit, counted from when the invoice was finalized', async () => {
    const ana = await unpaid('ana', { retryDays: [60], afterRetries: 'past_due' })
    const start = await startOf(ana)
    expect((await statusOf(ana.owner)).dunning).toEqual({
      stage: 'grace',
      since: start.toString(),
      nextStage: 'restricted',
      nextAt: days(start, 7).toString(),
      cancelAt: days(start, 60).add({ hours: 1 }).toString(),
    })
    expect(await may(ana, 'sso')).toMatchObject({ allowed: true })

    await advanceTo(days(start, 7).subtract({ minutes: 1 }))
    await tick()
    expect(await statusOf(ana.owner)).toMatchObject({ accessLevel: 'grace', status: 'past_due' })
    expect(await may(ana, 'sso')).toMatchObject({ allowed: true })
    expect(await told('ana', (seen) => seen.length === 2)).toEqual(['stage_reached grace', 'reminded grace'])

    await world.advance('PT1M')
    // No job has run: the check itself switches, exactly on time.
    expect(await may(ana, 'sso')).toMatchObject({ allowed: false, reason: 'access_restricted' })
    const { data: why } = await ana.owner.explain({ params: { feature: 'sso' }, query: {} })
    expect(why.steps.find(({ source }) => source === 'access')?.sentence).toContain(
      `since ${days(start, 7)} dunning allows restricted, and less from ${days(start, 14)} on`,
    )
    expect(await statusOf(ana.owner)).toMatchObject({ accessLevel: 'restricted', status: 'past_due' })
    const { data: shown } = await ana.owner.previewSubscription({
      params: { subscriptionId: ana.subscriptionId },
      body: { action: 'cancel', when: 'now' },
    })
    // What is withheld already cannot be lost once more (SUB-4).
    expect(shown.entitlements.accessLevel.before).toBe('restricted')
    expect(shown.entitlements.lost).not.toContain('sso')
    await told('ana', (seen) => seen.at(-1) === 'stage_reached restricted')

    await advanceTo(days(start, 14))
    expect(await statusOf(ana.owner)).toMatchObject({
      accessLevel: 'read_only',
      dunning: { stage: 'read_only', nextStage: 'canceled' },
    })
    await tick()
    await tick()
    expect(await told('ana', (seen) => seen.length >= 5)).toEqual([
      'stage_reached grace',
      'reminded grace',
      'stage_reached restricted',
      'reminded restricted',
      'stage_reached read_only',
    ])
    const stages = (await toldOf('ana')).filter(({ type }) => type === 'dunning.stage_reached')
    expect(stages.map(({ since, nextStage }) => [since, nextStage])).toEqual([
      [start.toString(), 'restricted'],
      [days(start, 7).toString(), 'read_only'],
      [days(start, 14).toString(), 'canceled'],
    ])
    expect((await auditOf(world, 'ana')).filter((action) => action.startsWith('dunning.'))).toEqual([
      'dunning.started',
      'dunning.stage_reached',
      'dunning.reminded',
      'dunning.stage_reached',
      'dunning.reminded',
      'dunning.stage_reached',
    ])
  })

  test.each([
    ['grace', 1],
    ['restricted', 8],
    ['read_only', 20],
  ] as const)('who pays in the stage %s has everything back at once', async (stage, day) => {
    const tenantId = `payer-${stage.replace('_', '-')}`
    const payer = await unpaid(tenantId, { retryDays: [60], afterRetries: 'past_due' })
    await advanceTo(days(await startOf(payer), day))
    expect((await statusOf(payer.owner)).dunning?.stage).toBe(stage)
    await pay(payer)
    const after = await statusOf(payer.owner, (seen) => seen.status === 'active' && seen.dunning === null)
    expect(after).toMatchObject({ accessLevel: 'full', paymentProblem: null })
    expect(await may(payer, 'sso')).toMatchObject({ allowed: true })
    const seen = await told(tenantId, (types) => types.at(-1) === 'recovered')
    expect(seen.filter((type) => type === 'recovered')).toHaveLength(1)
    expect(await auditOf(world, tenantId)).toContain('dunning.recovered')
    await tick()
    expect(await told(tenantId, () => true)).toEqual(seen)
  })

  test('the provider gives up first and ends the subscription: its end is ours, after the stages that led to it', async () => {
    const bob = await unpaid('bob', { retryDays: [3, 5, 7], afterRetries: 'cancel' })
    await world.advance('P15DT1H')
    expect(await statusOf(bob.owner, (seen) => seen.status === 'no_subscription')).toMatchObject({ dunning: null })
    const seen = await told('bob', (types) => types.at(-1) === 'stage_reached canceled')
    expect(seen.filter((type) => type.startsWith('stage_reached'))).toEqual([
      'stage_reached grace',
      'stage_reached restricted',
      'stage_reached read_only',
      'stage_reached canceled',
    ])
    expect(await auditOf(world, 'bob')).toEqual(expect.arrayContaining(['dunning.canceled', 'subscription.canceled']))
    expect(await auditOf(world, 'bob')).not.toContain('dunning.cancellation_asked')
  })

  test('the policy ends it: once, through the provider, on the day', async () => {
    const cleo = await unpaid('cleo', { retryDays: [3], afterRetries: 'past_due' })
    const start = await startOf(cleo)
    await advanceTo(days(start, 30).subtract({ minutes: 1 }))
    await tick()
    expect((await statusOf(cleo.owner)).status).toBe('past_due')
    await world.advance('PT1M')
    await tick()
    await statusOf(cleo.owner, (seen) => seen.status === 'no_subscription')
    await tick()
    expect((await stripeOf(world).subscriptions.retrieve(cleo.providerSubscriptionId)).status).toBe('canceled')
    const audit = await auditOf(world, 'cleo')
    expect(audit.filter((action) => action === 'dunning.cancellation_asked')).toHaveLength(1)
    expect(audit.filter((action) => action === 'dunning.canceled')).toHaveLength(1)
    expect((await told('cleo', (types) => types.includes('stage_reached canceled'))).at(-1)).toBe(
      'stage_reached canceled',
    )
    expect((await eventsOf(world, 'cleo')).filter((type) => type === 'subscription.canceled')).toHaveLength(1)
  })

  test('the end waits while the provider still plans to try, and for the result of that attempt', async () => {
    const dora = await unpaid('dora', { retryDays: [3, 30], afterRetries: 'past_due' })
    const start = await startOf(dora)
    await advanceTo(days(start, 4))
    const planned = await statusOf(dora.owner, (seen) => seen.dunning?.cancelAt !== days(start, 30).toString())
    expect(planned.dunning?.cancelAt).toBe(days(start, 33).add({ hours: 1 }).toString())
    await advanceTo(days(start, 31))
    await tick()
    expect((await statusOf(dora.owner)).status).toBe('past_due')
    // The last attempt fails too; none is planned any more.
    await advanceTo(days(start, 33).add({ minutes: 10 }))
    await statusOf(dora.owner, (seen) => seen.dunning?.cancelAt === days(start, 30).toString())
    await tick()
    await statusOf(dora.owner, (seen) => seen.status === 'no_subscription')
  })

  test('the answer to the request for the end is lost: the next run finds it done, and it is told once', async () => {
    const kim = await unpaid('kim', { retryDays: [3], afterRetries: 'past_due' })
    const start = await startOf(kim)
    await advanceTo(days(start, 30).add({ minutes: 5 }))
    await world.control('POST', '/sandbox/faults', {
      kind: 'webhook',
      action: 'drop',
      type: '*',
      customer: kim.providerCustomerId,
      count: null,
    })
    await world.control('POST', '/sandbox/faults', {
      kind: 'api',
      action: 'reset',
      method: 'DELETE',
      path: `/v1/subscriptions/${kim.providerSubscriptionId}`,
      ms: 0,
      after: true,
      count: 10,
    })
    await tick()
    await world.control('DELETE', '/sandbox/faults')
    await tick()
    await tick()
    await statusOf(kim.owner, (seen) => seen.status === 'no_subscription')
    const audit = await auditOf(world, 'kim')
    expect(audit.filter((action) => action === 'dunning.cancellation_asked')).toHaveLength(1)
    expect(audit.filter((action) => action === 'dunning.canceled')).toHaveLength(1)
    expect(
      (await told('kim', (types) => types.includes('stage_reached canceled'))).filter(
        (type) => type === 'stage_reached canceled',
      ),
    ).toHaveLength(1)
  })

  test('nothing is ended by old news: who has paid while we heard nothing keeps the subscription', async () => {
    const eva = await unpaid('eva', { retryDays: [3], afterRetries: 'past_due' })
    const start = await startOf(eva)
    await advanceTo(days(start, 29))
    await statusOf(eva.owner, (seen) => seen.dunning?.stage === 'read_only')
    await world.control('POST', '/sandbox/faults', {
      kind: 'webhook',
      action: 'drop',
      type: '*',
      customer: eva.providerCustomerId,
      count: null,
    })
    await pay(eva)
    await advanceTo(days(start, 30).add({ minutes: 5 }))
    await tick()
    await world.control('DELETE', '/sandbox/faults')
    expect(await statusOf(eva.owner, (seen) => seen.dunning === null)).toMatchObject({
      status: 'active',
      accessLevel: 'full',
    })
    expect(await auditOf(world, 'eva')).not.toContain('dunning.cancellation_asked')
  })

  test('nobody was there for two stages: both are told, once, in order, with their own times', async () => {
    const finn = await unpaid('finn', { retryDays: [60], afterRetries: 'past_due' })
    const start = await startOf(finn)
    await told('finn', (seen) => seen.length === 1)
    await world.advance('P16D')
    await tick()
    await told('finn', (seen) => seen.length >= 5)
    const stages = (await toldOf('finn')).filter(({ type }) => type === 'dunning.stage_reached')
    expect(stages.map(({ stage, since }) => [stage, since])).toEqual([
      ['grace', start.toString()],
      ['restricted', days(start, 7).toString()],
      ['read_only', days(start, 14).toString()],
    ])
  })

  test('two services see the same moment: it is told once', async () => {
    const gus = await unpaid('gus', { retryDays: [60], afterRetries: 'past_due' })
    await advanceTo(days(await startOf(gus), 7))
    await Promise.all([tick(), tick(), may(gus, 'sso'), may(gus, 'api_access'), tick()])
    const seen = await told('gus', (types) => types.length >= 3)
    expect(seen).toEqual(['stage_reached grace', 'reminded grace', 'stage_reached restricted'])
  })

  test('unpaid, the status allows less than the stage does: the weaker of the two holds', async () => {
    const hal = await unpaid('hal', { retryDays: [1], afterRetries: 'unpaid' })
    await world.advance('P1DT2H')
    const seen = await statusOf(hal.owner, ({ status }) => status === 'unpaid')
    expect(seen).toMatchObject({ accessLevel: 'restricted', dunning: { stage: 'grace' } })
    await world.advance('P13D')
    expect(await statusOf(hal.owner)).toMatchObject({ accessLevel: 'read_only', dunning: { stage: 'read_only' } })
  })

  test('the bank asks for the customer: the same stages, and the way out is named', async () => {
    const ida = await unpaid('ida', { retryDays: [60], afterRetries: 'past_due' }, 'pm_card_authenticationRequired')
    const seen = await statusOf(ida.owner, ({ paymentProblem }) => paymentProblem?.invoiceUrl != null)
    expect(seen).toMatchObject({ accessLevel: 'grace', dunning: { stage: 'grace' } })
    const action = seen.nextActions.find(({ action: kind }) => kind === 'pay_invoice')
    expect(action?.sentence).toContain(`access becomes restricted on ${seen.dunning?.nextAt}`)
  })

  test('an invoice that is voided is no debt: its case is written off, and access is what the status allows', async () => {
    const jon = await unpaid('jon', { retryDays: [60], afterRetries: 'past_due' })
    await advanceTo(days(await startOf(jon), 8))
    expect((await statusOf(jon.owner)).accessLevel).toBe('restricted')
    await stripeOf(world).invoices.voidInvoice((await openInvoice(jon)).id!)
    await statusOf(jon.owner, (seen) => seen.dunning === null && seen.accessLevel === 'full')
    expect((await toldOf('jon')).at(-1)).toMatchObject({ type: 'dunning.recovered', outcome: 'written_off' })
  })
})
