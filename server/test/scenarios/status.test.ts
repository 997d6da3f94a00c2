import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stripeOf } from '../support/pay.ts'
import { advanceBilling, auditOf, eventsOf, type Subscriber, statusOf, subscribed, useCard } from '../support/story.ts'
import { applyChanged, toldOf, transitionsOf } from '../support/transitions.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.stop())

const count = (types: string[], type: string) => types.filter((each) => each === type).length
/** A check answers from memory, which follows a change a moment later. */
const ssoIs = ({ owner }: Pick<Subscriber, 'owner'>, allowed: boolean) =>
  eventually(
    async () => (await owner.check({ body: { feature: 'sso' } })).data.allowed,
    (seen) => seen === allowed,
  )
const payOpenInvoice = async (subscriber: Subscriber) => {
  const { data } = await stripeOf(world).invoices.list({ customer: subscriber.providerCustomerId, status: 'open' })
  await stripeOf(world).invoices.pay(data[0]!.id!)
}
const priceOf = async (prefix: string): Promise<string> => {
  const { data } = await stripeOf(world).prices.list({ active: true, limit: 100 })
  return data.find((price) => price.lookup_key?.startsWith(prefix))!.id
}
/** A customer that is known to the provider and has bought nothing yet. */
const acquainted = async (tenantId: string) => {
  const owner = await world.tenant(tenantId)
  await owner.createSession({ body: { plan: 'pro', price: 'monthly', returnUrl: 'http://127.0.0.1:9999/back' } })
  const { customerId } = await statusOf(owner)
  const { data } = await world.operator.getCustomer({ params: { customerId } })
  return { tenantId, owner, providerCustomerId: data.providerCustomerId! }
}

describe('paying (SUB-1, SUB-2, SUB-8)', () => {
  test('a renewal is an update without a change of status, and counts from the new period', async () => {
    const story = await subscribed(world, 'renewer')
    const { period } = await statusOf(story.owner)
    await advanceBilling(world, 'P1M')
    await statusOf(story.owner, (seen) => seen.period?.start === period!.end)
    const types = await eventsOf(world, 'renewer', (seen) => count(seen, 'invoice.paid') === 2)
    expect(types).not.toContain('subscription.canceled')
    const isRenewal = ({ data }: { data: Record<string, unknown> }) => (data.changed as string[]).includes('period')
    const updates = await toldOf(world, 'renewer', 'subscription.updated', (told) => told.some(isRenewal))
    const renewal = updates.find(isRenewal)
    expect(renewal!.data).toMatchObject({ transition: null, effectiveAt: period!.end })
    const snapshots = await toldOf(world, 'renewer', 'entitlements.updated')
    expect(snapshots.at(-1)!.data).toMatchObject({ effectiveFrom: period!.end, gained: [], lost: [] })
    expect(await auditOf(world, 'renewer')).toEqual(expect.arrayContaining(['subscription.updated', 'invoice.paid']))
  })

  test('a payment that fails gives grace, and one that succeeds gives full access again', async () => {
    const story = await subscribed(world, 'stumbler')
    await useCard(world, story, 'pm_card_chargeCustomerFail')
    await advanceBilling(world, 'P1M')
    const failing = await statusOf(story.owner, (seen) => seen.status === 'past_due')
    expect(failing.accessLevel).toBe('grace')
    await ssoIs(story, true)
    await useCard(world, story, 'pm_card_visa')
    await payOpenInvoice(story)
    expect(await statusOf(story.owner, (seen) => seen.status === 'active')).toMatchObject({ accessLevel: 'full' })
    expect(await transitionsOf(world, 'stumbler', (steps) => steps.length === 2)).toEqual([
      'active → past_due (payment_failed)',
      'past_due → active (payment_succeeded)',
    ])
    const types = await eventsOf(world, 'stumbler', (seen) => count(seen, 'invoice.paid') === 2)
    expect(count(types, 'invoice.payment_failed')).toBe(1)
    expect(await auditOf(world, 'stumbler')).toEqual(
      expect.arrayContaining(['invoice.payment_failed', 'subscription.updated', 'invoice.paid']),
    )
  })

  test('when the provider gives up, access is restricted, and the newest invoice brings it back', async () => {
    await world.control('POST', '/sandbox/settings', { afterRetries: 'unpaid' })
    const story = await subscribed(world, 'debtor')
    await useCard(world, story, 'pm_card_chargeCustomerFail')
    await advanceBilling(world, 'P1M')
    await statusOf(story.owner, (seen) => seen.status === 'past_due')
    for (const days of [4, 6, 8]) await world.advance(`P${days}D`)
    const unpaid = await statusOf(story.owner, (seen) => seen.status === 'unpaid')
    await world.control('POST', '/sandbox/settings', { afterRetries: 'cancel' })
    // By the status restricted; the days of dunning may have gone further.
    expect(['restricted', 'read_only']).toContain(unpaid.accessLevel)
    await ssoIs(story, false)
    await useCard(world, story, 'pm_card_visa')
    await payOpenInvoice(story)
    await statusOf(story.owner, (seen) => seen.status === 'active')
    await ssoIs(story, true)
    const steps = await transitionsOf(world, 'debtor', (seen) => seen.at(-1)?.includes('active') ?? false)
    expect(steps).toEqual([
      'active → past_due (payment_failed)',
      'past_due → unpaid (retries_exhausted)',
      'unpaid → active (payment_succeeded)',
    ])
    expect(count(await auditOf(world, 'debtor'), 'invoice.payment_failed')).toBeGreaterThan(1)
  })

  test('a renewal that the bank wants confirmed says so, and the customer’s confirmation mends it', async () => {
    const story = await subscribed(world, 'confirmer')
    await useCard(world, story, 'pm_card_threeDSecure2Required')
    await advanceBilling(world, 'P1M')
    const asked = await statusOf(
      story.owner,
      (seen) => seen.paymentProblem?.kind === 'action_required' && seen.status === 'past_due',
    )
    expect(asked).toMatchObject({ paymentProblem: { kind: 'action_required', invoiceUrl: expect.any(String) } })
    expect(asked.nextActions.map(({ action }) => action)).toContain('pay_invoice')
    await useCard(world, story, 'pm_card_visa')
    await payOpenInvoice(story)
    const mended = await statusOf(story.owner, (seen) => seen.status === 'active' && seen.paymentProblem === null)
    expect(mended.accessLevel).toBe('full')
    expect(await transitionsOf(world, 'confirmer', (steps) => steps.length >= 2)).toEqual([
      'active → past_due (payment_failed)',
      'past_due → active (payment_succeeded)',
    ])
  })
})

describe('a first payment (SUB-1, SUB-2)', () => {
  const begun = async (tenantId: string) => {
    const known = await acquainted(tenantId)
    const subscription = await stripeOf(world).subscriptions.create({
      customer: known.providerCustomerId,
      items: [{ price: await priceOf('acme_pro_monthly_usd') }],
      payment_behavior: 'default_incomplete',
    })
    const waiting = await statusOf(known.owner, (seen) => seen.subscription?.status === 'incomplete')
    expect(waiting.accessLevel).not.toBe('grace')
    await ssoIs(known, false)
    return { ...known, subscription }
  }

  test('that is still to come grants nothing; once paid the plan is there', async () => {
    const { owner, subscription, providerCustomerId } = await begun('hesitant')
    const stripe = stripeOf(world)
    const { id } = await stripe.paymentMethods.attach('pm_card_visa', { customer: providerCustomerId })
    await stripe.invoices.pay(subscription.latest_invoice as string, { payment_method: id })
    await statusOf(owner, (seen) => seen.status === 'active')
    await ssoIs({ owner }, true)
    expect(await transitionsOf(world, 'hesitant', (steps) => steps.length >= 1)).toEqual([
      'incomplete → active (payment_succeeded)',
    ])
    const types = await eventsOf(world, 'hesitant', (seen) => seen.includes('invoice.paid'))
    expect(types.indexOf('subscription.created')).toBeLessThan(types.indexOf('subscription.updated'))
    expect(await auditOf(world, 'hesitant')).toEqual(
      expect.arrayContaining(['subscription.created', 'subscription.updated']),
    )
  })

  test('that never comes expires after 23 hours, and leaves nothing behind', async () => {
    const { owner } = await begun('forgetful')
    await world.advance('PT24H')
    await statusOf(owner, (seen) => seen.subscription === null)
    expect(await transitionsOf(world, 'forgetful', (steps) => steps.length > 0)).toEqual([
      'incomplete → incomplete_expired (expired)',
    ])
    await ssoIs({ owner }, false)
    const types = await eventsOf(world, 'forgetful', (seen) => seen.includes('subscription.canceled'))
    expect(types).not.toContain('retention.started')
    expect(await auditOf(world, 'forgetful')).toContain('subscription.canceled')
  })
})

describe('what is done in the provider’s dashboard (SUB-3)', () => {
  test('collection that is paused leaves status and access as they are, and is shown in the events', async () => {
    const story = await subscribed(world, 'favoured')
    const stripe = stripeOf(world)
    await stripe.subscriptions.update(story.providerSubscriptionId, { pause_collection: { behavior: 'void' } })
    const [update] = await toldOf(world, 'favoured', 'subscription.updated', (told) => told.length > 0)
    expect(update!.data).toMatchObject({ changed: ['standing'], transition: null })
    expect(await statusOf(story.owner)).toMatchObject({ status: 'active', accessLevel: 'full' })
    await stripe.subscriptions.update(story.providerSubscriptionId, { pause_collection: '' })
    await toldOf(world, 'favoured', 'subscription.updated', (told) => told.length === 2)
    expect(await transitionsOf(world, 'favoured')).toEqual([])
    expect(count(await auditOf(world, 'favoured'), 'subscription.updated')).toBe(2)
  })

  test('a pause takes the plan’s grants and keeps what is there; a resume gives them back', async () => {
    const story = await subscribed(world, 'traveller')
    await stripeOf(world).rawRequest('POST', `/v1/subscriptions/${story.providerSubscriptionId}/pause`, {})
    const paused = await statusOf(story.owner, (seen) => seen.status === 'paused')
    expect(paused).toMatchObject({ accessLevel: 'read_only', subscription: { plan: { plan: 'pro' } } })
    await ssoIs(story, false)
    await stripeOf(world).subscriptions.resume(story.providerSubscriptionId, {})
    await statusOf(story.owner, (seen) => seen.status === 'active')
    await ssoIs(story, true)
    expect(await transitionsOf(world, 'traveller', (steps) => steps.length === 2)).toEqual([
      'active → paused (paused)',
      'paused → active (resumed)',
    ])
  })

  test('an end at once is an end here, from the same moment', async () => {
    const story = await subscribed(world, 'dismissed')
    const ended = await stripeOf(world).subscriptions.cancel(story.providerSubscriptionId)
    await statusOf(story.owner, (seen) => seen.subscription === null)
    const [told] = await toldOf(world, 'dismissed', 'subscription.canceled', (told) => told.length > 0)
    expect(told!.data).toMatchObject({
      transition: { from: 'active', to: 'canceled', trigger: 'canceled' },
      effectiveAt: Temporal.Instant.fromEpochMilliseconds(ended.ended_at! * 1_000).toString(),
    })
    expect(await auditOf(world, 'dismissed')).toEqual(
      expect.arrayContaining(['subscription.canceled', 'retention.started']),
    )
  })
})

describe('facts that do not fit (SUB-1, WEB-3)', () => {
  test('an ended subscription that is reported alive stays ended, and that is recorded once', async () => {
    const story = await subscribed(world, 'undead')
    await stripeOf(world).subscriptions.cancel(story.providerSubscriptionId)
    await statusOf(story.owner, (seen) => seen.subscription === null)
    for (let look = 0; look < 3; look++)
      await applyChanged(world, story, (facts) => ({
        ...facts,
        subscriptions: facts.subscriptions.map((fact) => ({ ...fact, status: 'active', endedAt: null })),
      }))
    expect(await statusOf(story.owner)).toMatchObject({ subscription: null, status: 'no_subscription' })
    const told = await toldOf(world, 'undead', 'subscription.', (seen) => seen.length >= 2)
    expect(told.map(({ type }) => type)).toEqual(['subscription.created', 'subscription.canceled'])
    expect(count(await auditOf(world, 'undead'), 'subscription.stale_fact')).toBe(1)
    await ssoIs(story, false)
  })

  test('a step that nothing explains is followed, because the provider decides, and recorded', async () => {
    const story = await subscribed(world, 'puzzle')
    for (let look = 0; look < 2; look++)
      await applyChanged(world, story, (facts) => ({
        ...facts,
        subscriptions: facts.subscriptions.map((fact) => ({ ...fact, status: 'incomplete' })),
      }))
    await ssoIs(story, false)
    expect(count(await auditOf(world, 'puzzle'), 'subscription.unexpected_fact')).toBe(1)
    expect(await transitionsOf(world, 'puzzle', (steps) => steps.length > 0)).toEqual([
      'active → incomplete (contradiction)',
    ])
    await applyChanged(world, story, (facts) => facts)
    await ssoIs(story, true)
  })

  test('one that is missing from a list stays; one that the provider does not know when asked for it has ended', async () => {
    const story = await subscribed(world, 'vanished')
    await applyChanged(world, story, (facts) => ({ ...facts, subscriptions: [] }))
    expect(await statusOf(story.owner)).toMatchObject({ status: 'active', accessLevel: 'full' })
    await applyChanged(world, story, (facts) => ({
      ...facts,
      subscriptions: [],
      missing: [story.providerSubscriptionId],
    }))
    expect(await statusOf(story.owner)).toMatchObject({ subscription: null })
    expect(await transitionsOf(world, 'vanished', (steps) => steps.length > 0)).toEqual(['active → canceled (missing)'])
    expect(await auditOf(world, 'vanished')).toContain('subscription.unexpected_fact')
  })

  test.each<[string, string, (lookupKey: string | null) => string | null, number, boolean, string | null]>([
    [
      'a price that is not ours keeps the terms and is recorded',
      'foreign',
      () => 'somebody_elses',
      1,
      true,
      'unexpected',
    ],
    ['a price without a name likewise', 'nameless', () => null, 1, true, 'unexpected'],
    ['none of the plan likewise', 'emptied', (key) => key, 0, true, 'unexpected'],
    ['what is ours is not recorded', 'plain', (key) => key, 1, true, null],
  ])('%s', async (_, tenantId, rename, quantity, allowed, recorded) => {
    const story = await subscribed(world, tenantId)
    for (let look = 0; look < 2; look++)
      await applyChanged(world, story, (facts) => ({
        ...facts,
        subscriptions: facts.subscriptions.map((fact) => ({
          ...fact,
          items: fact.items.map((item) => ({ ...item, lookupKey: rename(item.lookupKey), quantity })),
        })),
      }))
    await ssoIs(story, allowed)
    expect(count(await auditOf(world, tenantId), 'subscription.unexpected_fact')).toBe(recorded ? 1 : 0)
    // Its end is followed all the same.
    await applyChanged(world, story, (facts) => ({
      ...facts,
      subscriptions: facts.subscriptions.map((fact) => ({
        ...fact,
        items: fact.items.map((item) => ({ ...item, lookupKey: rename(item.lookupKey), quantity })),
        status: 'canceled',
        endedAt: world.clock.now(),
      })),
    }))
    await ssoIs(story, false)
    await eventsOf(world, tenantId, (types) => types.includes('subscription.canceled'))
  })

  test('one in prices that are not ours is never a plan', async () => {
    const known = await acquainted('stranger')
    const stripe = stripeOf(world)
    const product = await stripe.products.create({ name: 'Not of the catalog' })
    const price = await stripe.prices.create({
      product: product.id,
      currency: 'usd',
      unit_amount: 100,
      recurring: { interval: 'week' },
    })
    const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: known.providerCustomerId })
    await stripe.subscriptions.create({
      customer: known.providerCustomerId,
      items: [{ price: price.id }],
      default_payment_method: card.id,
    })
    await eventually(
      async () =>
        (await world.operator.listWebhooks({ query: { tenantId: 'stranger', limit: 100 } })).data.filter(
          ({ type, state }) => type === 'customer.subscription.created' && state === 'applied',
        ),
      (seen) => seen.length === 1,
    )
    expect(await statusOf(known.owner)).toMatchObject({ subscription: null, plan: { plan: 'free' } })
    expect(await eventsOf(world, 'stranger')).not.toContain('subscription.created')
  })

  test('with mixed intervals the plan’s own period counts, and what is not ours beside it is recorded', async () => {
    const story = await subscribed(world, 'mixed')
    const { period } = await statusOf(story.owner)
    await applyChanged(world, story, (facts) => ({
      ...facts,
      subscriptions: facts.subscriptions.map((fact) => ({
        ...fact,
        items: [
          {
            lookupKey: 'another_yearly',
            quantity: 1,
            interval: { unit: 'year', count: 1 },
            currency: 'USD',
            period: { start: fact.period.start, end: fact.period.end.add({ hours: 24 * 330 }) },
          },
          ...fact.items,
        ],
        period: { start: fact.period.start, end: fact.period.end.add({ hours: 24 * 330 }) },
      })),
    }))
    expect((await statusOf(story.owner)).period).toEqual(period)
    expect(await auditOf(world, 'mixed')).toContain('subscription.unexpected_fact')
  })
})
