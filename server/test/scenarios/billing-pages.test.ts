import { afterAll, beforeAll, expect, test } from 'vitest'
import { subscribed } from '../support/story.ts'
import { startWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.stop())

test('plans say what seats and add-ons cost, and previews what changes in words and what follows an end (SUB-4, SUB-6)', async () => {
  const { owner, subscriptionId } = await subscribed(world, 'pages-ana', { plan: 'pro', price: 'monthly' })
  const params = { subscriptionId }
  const { data: plans } = await owner.listPlans({ query: {} })
  const pro = plans.find(({ plan }) => plan === 'pro')
  expect(pro?.prices.find(({ price }) => price === 'monthly')?.perSeat).toEqual({
    amountMinor: '1200',
    currency: 'USD',
  })
  expect(pro?.addOns.find(({ addOn }) => addOn === 'call_pack')).toMatchObject({
    name: '10,000 more API calls',
    prices: [{ price: 'monthly', amount: { amountMinor: '2500' } }, { price: 'yearly' }],
  })
  expect(plans.find(({ plan }) => plan === 'starter')?.addOns.map(({ addOn }) => addOn)).toEqual(['extra_projects'])

  const { data: up } = await owner.previewSubscription({ params, body: { action: 'change', plan: 'scale' } })
  const difference = (feature: string) => up.entitlements.differences.find((each) => each.feature === feature)
  expect(difference('priority_support')).toMatchObject({
    name: 'Priority support',
    change: 'gained',
    before: { value: false },
    after: { value: true },
  })
  expect(difference('projects')).toMatchObject({ before: { value: 20 }, after: { value: 200 } })
  expect(up).toMatchObject({ guardrails: [], overLimit: null, retention: null })

  const { data: end } = await owner.previewSubscription({ params, body: { action: 'cancel', when: 'period_end' } })
  const days = (Date.parse(end.retention!.deleteAt) - Date.parse(end.effectiveAt)) / 86_400_000
  expect(end.retention).toMatchObject({ endedAt: end.effectiveAt, readOnlyUntil: null })
  expect(days).toBe(365)
})

test('the status says when a pause ends by itself, and no longer once it was resumed (SUB-3)', async () => {
  const { owner, subscriptionId } = await subscribed(world, 'pages-bo')
  const params = { subscriptionId }
  const resumesAt = world.clock.now().add({ hours: 240 }).round('second').toString()
  await owner.commandSubscription({ params, body: { action: 'pause', resumesAt } })
  expect((await owner.getStatus({ query: {} })).data).toMatchObject({ status: 'paused', resumesAt, command: null })
  await owner.commandSubscription({ params, body: { action: 'resume' } })
  expect((await owner.getStatus({ query: {} })).data).toMatchObject({ status: 'active', resumesAt: null })
})

test('a command that waits for a silent provider stands in the status until it is done (SUB-7)', async () => {
  const { owner, subscriptionId } = await subscribed(world, 'pages-cy')
  await world.control('POST', '/sandbox/faults', { kind: 'api', action: 'outage' })
  const { data } = await owner.commandSubscription({
    params: { subscriptionId },
    body: { action: 'cancel', when: 'period_end' },
    retries: 0,
    timeoutMs: 60_000,
  })
  await world.control('DELETE', '/sandbox/faults')
  expect(data.command.state).toBe('queued')
  expect((await owner.getStatus({ query: {} })).data.command).toMatchObject({
    id: data.command.id,
    action: 'cancel',
    state: 'queued',
  })
})
