import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { remind } from '../../src/flows/remind.ts'
import { payCheckout, stripeOf } from '../support/pay.ts'
import { auditOf, eventsOf, type Subscriber, statusOf, subscribed } from '../support/story.ts'
import { toldOf, transitionsOf } from '../support/transitions.ts'
import { startWorld, type World } from '../support/world.ts'

let world: World
const folder = mkdtempSync(join(tmpdir(), 'turnpike-trials-'))
beforeAll(async () => {
  const catalog = parse(readFileSync('catalog/acme.yaml', 'utf8'))
  const trial = (paymentMethod: string, withoutPaymentMethod?: string) => ({
    ...catalog.plans.starter,
    trial: { days: 14, paymentMethod, withoutPaymentMethod },
  })
  catalog.plans.leaves = { ...trial('optional'), rank: 11 }
  catalog.plans.rests = { ...trial('optional', 'pause'), rank: 12 }
  catalog.plans.owes = { ...trial('optional', 'create_invoice'), rank: 13 }
  for (const plan of ['leaves', 'rests', 'owes']) catalog.plans[plan].name = `Starter that ${plan}`
  const file = join(folder, 'trials.yaml')
  writeFileSync(file, JSON.stringify(catalog))
  world = await startWorld({ env: { TURNPIKE_CATALOG: file } })
})
afterAll(async () => {
  await world.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** A trial for which no card was given: the hosted page asks for none. */
const trialWithoutCard = async (tenantId: string, plan: string): Promise<Subscriber> => {
  const owner = await world.tenant(tenantId)
  const { data: session } = await owner.createSession({
    body: { plan, price: 'monthly', returnUrl: 'http://127.0.0.1:9999/back' },
  })
  const page = await fetch(session.sessionUrl, { method: 'POST', redirect: 'manual', body: new URLSearchParams() })
  expect(page.status).toBe(303)
  const status = await statusOf(owner, (seen) => seen.subscription !== null && seen.openCheckout === null)
  const { data: customer } = await world.operator.getCustomer({ params: { customerId: status.customerId } })
  return {
    tenantId,
    owner,
    customerId: status.customerId,
    subscriptionId: status.subscription!.id,
    providerCustomerId: customer.providerCustomerId!,
    providerSubscriptionId: status.subscription!.providerSubscriptionId,
  }
}

const addCard = async ({ providerCustomerId }: Subscriber): Promise<void> => {
  const stripe = stripeOf(world)
  const { id } = await stripe.paymentMethods.attach('pm_card_visa', { customer: providerCustomerId })
  await stripe.customers.update(providerCustomerId, { invoice_settings: { default_payment_method: id } })
}
const count = (types: string[], type: string) => types.filter((each) => each === type).length

describe('trials (SUB-3)', () => {
  test('with a card: full access, one notice, converts at its end and is paid', async () => {
    const story = await subscribed(world, 'converter', { plan: 'starter', price: 'monthly' })
    const trial = await statusOf(story.owner)
    expect(trial).toMatchObject({ status: 'trialing', accessLevel: 'full', plan: { plan: 'starter' } })
    expect((await toldOf(world, 'converter', 'subscription.')).map(({ type }) => type)).toEqual([
      'subscription.created',
    ])
    await world.advance('P10D')
    await remind(world.app.deps)
    expect(await toldOf(world, 'converter', 'subscription.trial_ending')).toEqual([])
    await world.advance('P2D')
    await remind(world.app.deps)
    const [notice] = await toldOf(world, 'converter', 'subscription.trial_ending', (told) => told.length > 0)
    expect(notice!.data).toMatchObject({ endsAt: trial.trialEndsAt, paymentMethodOnFile: true })
    await world.advance('P2D')
    await world.advance('PT2H')
    const paid = await statusOf(story.owner, (seen) => seen.status === 'active')
    expect(paid).toMatchObject({ accessLevel: 'full', trialEndsAt: null, period: { start: trial.trialEndsAt } })
    const types = await eventsOf(world, 'converter', (seen) => count(seen, 'invoice.paid') === 2)
    expect(count(types, 'subscription.trial_ending')).toBe(1)
    expect(await transitionsOf(world, 'converter', (steps) => steps.length >= 1)).toEqual([
      'trialing → active (trial_ended)',
    ])
    const updates = await toldOf(world, 'converter', 'subscription.updated')
    expect(updates.find(({ data }) => data.transition !== null)!.data.effectiveAt).toBe(trial.trialEndsAt)
    expect(await auditOf(world, 'converter')).toEqual(
      expect.arrayContaining([
        'subscription.created',
        'subscription.trial_ending',
        'subscription.updated',
        'invoice.paid',
      ]),
    )
  })

  test('without a card, where the plan says cancel: the notice says so, and at its end the plan is gone', async () => {
    const story = await trialWithoutCard('leaver', 'leaves')
    const trial = await statusOf(story.owner)
    expect(trial).toMatchObject({ status: 'trialing', accessLevel: 'full', plan: { plan: 'leaves' } })
    await world.advance('P12D')
    await remind(world.app.deps)
    const [notice] = await toldOf(world, 'leaver', 'subscription.trial_ending', (told) => told.length > 0)
    expect(notice!.data).toMatchObject({ endsAt: trial.trialEndsAt, paymentMethodOnFile: false })
    await world.advance('P3D')
    const gone = await statusOf(story.owner, (seen) => seen.subscription === null)
    expect(gone).toMatchObject({ status: 'no_subscription', plan: { plan: 'free' } })
    expect(await transitionsOf(world, 'leaver', (steps) => steps.length >= 1)).toEqual([
      'trialing → canceled (canceled)',
    ])
    const [ended] = await toldOf(world, 'leaver', 'subscription.canceled', (told) => told.length > 0)
    expect(ended!.data.effectiveAt).toBe(trial.trialEndsAt)
    const snapshots = await toldOf(world, 'leaver', 'entitlements.updated', (told) => told.length === 3)
    expect(snapshots.at(-1)!.data).toMatchObject({ effectiveFrom: trial.trialEndsAt, plan: 'free' })
    expect(await auditOf(world, 'leaver')).toEqual(
      expect.arrayContaining(['subscription.canceled', 'retention.started']),
    )
  })

  test('without a card, where the plan says pause: nothing is lost, and a card brings it back', async () => {
    const story = await trialWithoutCard('rester', 'rests')
    await world.advance('P15D')
    const paused = await statusOf(story.owner, (seen) => seen.status === 'paused')
    expect(paused).toMatchObject({ accessLevel: 'read_only', subscription: { plan: { plan: 'rests' } } })
    expect((await story.owner.check({ body: { feature: 'api_access' } })).data.allowed).toBe(true)
    await addCard(story)
    await stripeOf(world).subscriptions.resume(story.providerSubscriptionId, {
      billing_cycle_anchor: { type: 'now' },
    } as never)
    const back = await statusOf(story.owner, (seen) => seen.status === 'active')
    expect(back).toMatchObject({ accessLevel: 'full', plan: { plan: 'rests' } })
    expect(await transitionsOf(world, 'rester', (steps) => steps.length === 2)).toEqual([
      'trialing → paused (trial_ended)',
      'paused → active (resumed)',
    ])
    expect(count(await auditOf(world, 'rester'), 'subscription.updated')).toBeGreaterThanOrEqual(2)
  })

  test('without a card, where the plan says invoice: it goes on and owes', async () => {
    const story = await trialWithoutCard('ower', 'owes')
    await world.advance('P14D')
    await statusOf(story.owner, (seen) => seen.status === 'active')
    await world.advance('PT2H')
    const owing = await statusOf(story.owner, (seen) => seen.status === 'past_due')
    expect(owing.accessLevel).toBe('grace')
    const steps = await transitionsOf(world, 'ower', (seen) => seen.at(-1)?.includes('past_due') ?? false)
    expect(steps).toEqual(['trialing → active (trial_ended)', 'active → past_due (payment_failed)'])
  })

  test('a card that is added in time lets it go on', async () => {
    const story = await trialWithoutCard('late', 'leaves')
    await world.advance('P12D')
    await addCard(story)
    await remind(world.app.deps)
    const [notice] = await toldOf(world, 'late', 'subscription.trial_ending', (told) => told.length > 0)
    expect(notice).toBeDefined()
    await world.advance('P2D')
    await world.advance('PT2H')
    await statusOf(story.owner, (seen) => seen.status === 'active')
    await eventsOf(world, 'late', (seen) => count(seen, 'invoice.paid') === 2)
    expect(await transitionsOf(world, 'late', (steps) => steps.length >= 1)).toEqual([
      'trialing → active (trial_ended)',
    ])
  })

  test('one that was canceled ends with its trial, and nobody is reminded of a conversion', async () => {
    const story = await subscribed(world, 'regretter', { plan: 'starter', price: 'monthly' })
    await stripeOf(world).subscriptions.update(story.providerSubscriptionId, { cancel_at_period_end: true })
    const pending = await statusOf(story.owner, (seen) => seen.endsAt !== null)
    expect(pending).toMatchObject({ status: 'trialing', endsAt: pending.trialEndsAt })
    await world.advance('P12D')
    await remind(world.app.deps)
    await world.advance('P3D')
    await statusOf(story.owner, (seen) => seen.subscription === null)
    const types = await eventsOf(world, 'regretter', (seen) => seen.includes('subscription.canceled'))
    expect(types).not.toContain('subscription.trial_ending')
    expect(count(types, 'invoice.paid')).toBe(1)
  })

  test('is given once: who comes back pays at once', async () => {
    const story = await trialWithoutCard('returner', 'leaves')
    await world.advance('P15D')
    await statusOf(story.owner, (seen) => seen.subscription === null)
    const { data: session } = await story.owner.createSession({
      body: { plan: 'leaves', price: 'monthly', returnUrl: 'http://127.0.0.1:9999/back' },
    })
    await payCheckout(world, session.sessionUrl)
    expect(await statusOf(story.owner, (seen) => seen.subscription !== null)).toMatchObject({ status: 'active' })
    await eventsOf(world, 'returner', (types) => count(types, 'subscription.created') === 2)
  })

  test('one that is extended has a new end, and a notice of that', async () => {
    const story = await subscribed(world, 'extended', { plan: 'starter', price: 'monthly' })
    const { trialEndsAt } = await statusOf(story.owner)
    await world.advance('P12D')
    await remind(world.app.deps)
    await toldOf(world, 'extended', 'subscription.trial_ending', (told) => told.length === 1)
    const later = Temporal.Instant.from(trialEndsAt!).add({ hours: 24 * 10 })
    await stripeOf(world).subscriptions.update(story.providerSubscriptionId, {
      trial_end: Math.floor(later.epochMilliseconds / 1_000),
      proration_behavior: 'none',
    })
    await statusOf(story.owner, (seen) => seen.trialEndsAt === later.toString())
    await world.advance('P10D')
    await remind(world.app.deps)
    const told = await toldOf(world, 'extended', 'subscription.trial_ending', (seen) => seen.length === 2)
    expect(told.map(({ data }) => data.endsAt)).toEqual([trialEndsAt, later.toString()])
  })

  test('the provider’s own notice is enough to announce it, should our schedule stand still', async () => {
    await subscribed(world, 'heard', { plan: 'starter', price: 'monthly' })
    await world.advance('PT265H')
    await toldOf(world, 'heard', 'subscription.trial_ending', (told) => told.length === 1)
    expect(await auditOf(world, 'heard')).toContain('subscription.trial_ending')
  })

  test('however often the schedule runs and the provider speaks, a trial is announced once', async () => {
    const story = await subscribed(world, 'calm', { plan: 'starter', price: 'monthly' })
    await world.advance('P12D')
    await Promise.all([1, 2, 3, 4].map(() => remind(world.app.deps)))
    const operator = await world.as('operator')
    await operator.sync({ body: { tenantId: 'calm' } })
    await stripeOf(world).subscriptions.update(story.providerSubscriptionId, { metadata: { touched: 'yes' } })
    await remind(world.app.deps)
    expect(await toldOf(world, 'calm', 'subscription.trial_ending', (told) => told.length > 0)).toHaveLength(1)
    expect(count(await auditOf(world, 'calm'), 'subscription.trial_ending')).toBe(1)
  })
})

test('a year that renews is announced a week before, once per year, with its amount (SUB-3)', async () => {
  const { owner } = await subscribed(world, 'yearly', { plan: 'pro', price: 'yearly' })
  const { period } = await statusOf(owner)
  const until = Temporal.Instant.from(period!.end).since(world.clock.now()).total('hours')
  await world.advance(`PT${Math.round(until - 24 * 8)}H`)
  await remind(world.app.deps)
  expect(await toldOf(world, 'yearly', 'subscription.renewal_upcoming')).toEqual([])
  await world.advance('P2D')
  await remind(world.app.deps)
  await remind(world.app.deps)
  const [notice] = await toldOf(world, 'yearly', 'subscription.renewal_upcoming', (told) => told.length > 0)
  expect(notice!.data).toMatchObject({ at: period!.end, amount: { amountMinor: '49000', currency: 'USD' } })
  await world.advance('P7D')
  await statusOf(owner, (seen) => seen.period?.start === period!.end)
  await remind(world.app.deps)
  expect(await toldOf(world, 'yearly', 'subscription.renewal_upcoming')).toHaveLength(1)
  expect(await auditOf(world, 'yearly')).toContain('subscription.renewal_upcoming')
})
