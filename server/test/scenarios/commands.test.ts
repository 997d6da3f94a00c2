import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sweepCommands } from '../../src/flows/sweep-commands.ts'
import { forgetOldRequests } from '../../src/platform/idempotency.ts'
import { stripeOf } from '../support/pay.ts'
import { advanceBilling, auditOf, eventsOf, type Subscriber, statusOf, subscribed, useCard } from '../support/story.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.stop())

type Ask = Parameters<Subscriber['owner']['commandSubscription']>[0]['body']
const command = async ({ owner, subscriptionId }: Subscriber, body: Ask, idempotencyKey?: string) =>
  (
    await owner.commandSubscription({
      params: { subscriptionId },
      body,
      retries: 0,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    })
  ).data
const refused = (attempt: Promise<unknown>) =>
  attempt.then(
    () => 'it was done',
    (error: { code?: string }) => error.code,
  )
const invoicesOf = async ({ providerCustomerId }: Subscriber) =>
  (await stripeOf(world).invoices.list({ customer: providerCustomerId, limit: 100 })).data
const trouble = (fault: Record<string, unknown>) => world.control('POST', '/sandbox/faults', { kind: 'api', ...fault })
const heal = () => world.control('DELETE', '/sandbox/faults')

describe('ends', () => {
  test('a cancellation at the end of the period is pending, can be undone, and then comes (SUB-3)', async () => {
    const ana = await subscribed(world, 'cancel-ana')
    const { subscription, command: done } = await command(ana, { action: 'cancel' })
    expect(subscription).toMatchObject({
      status: 'active',
      endsAt: subscription.period.end,
      pendingChange: { kind: 'cancellation' },
    })
    expect(done).toMatchObject({ action: 'cancel', state: 'done', effectiveAt: subscription.period.end })
    expect(await refused(command(ana, { action: 'cancel' }))).toBe('command_not_allowed')
    const kept = await command(ana, { action: 'undo_cancel' })
    expect(kept.subscription).toMatchObject({ endsAt: null, pendingChange: null })
    await command(ana, { action: 'cancel' })
    await advanceBilling(world, 'P1M')
    await statusOf(ana.owner, (seen) => seen.subscription === null)
    await eventsOf(world, ana.tenantId, (types) => types.includes('subscription.canceled'))
    expect(await refused(command(ana, { action: 'undo_cancel' }))).toBe('command_not_allowed')
    expect((await auditOf(world, ana.tenantId)).filter((action) => action.startsWith('subscription.cancel.'))).toEqual([
      'subscription.cancel.requested',
      'subscription.cancel.done',
      'subscription.cancel.requested',
      'subscription.cancel.done',
    ])
  })

  test('a cancellation overtakes a change that waits (SUB-3)', async () => {
    const bea = await subscribed(world, 'cancel-bea', { plan: 'scale', price: 'monthly' })
    await command(bea, { action: 'change', plan: 'pro' })
    const { subscription } = await command(bea, { action: 'cancel' })
    expect(subscription.pendingChange).toMatchObject({ kind: 'cancellation' })
    await advanceBilling(world, 'P1M')
    await statusOf(bea.owner, (seen) => seen.subscription === null)
  })

  test('an end at once takes the plan away; the house may credit the unused time (SUB-3)', async () => {
    const cas = await subscribed(world, 'cancel-cas')
    await world.advance('P10D')
    const params = { subscriptionId: cas.subscriptionId }
    const body = { action: 'cancel' as const, when: 'now' as const, creditUnused: true }
    const { data: shown } = await world.operator.previewSubscription({ params, body })
    expect(shown).toMatchObject({ timing: 'now', after: null, nextRenewal: null, entitlements: { gained: [] } })
    expect(shown.entitlements.lost).toContain('sso')
    expect(Number(shown.dueNow!.total.amountMinor)).toBeLessThan(-3_000)
    const { data } = await world.operator.commandSubscription({
      params,
      body: { ...body, previewToken: shown.previewToken },
    })
    expect(data.subscription).toMatchObject({ status: 'canceled', endsAt: null })
    expect((await cas.owner.check({ body: { feature: 'sso' } })).data.allowed).toBe(false)
    const customer = await stripeOf(world).customers.retrieve(cas.providerCustomerId)
    expect('balance' in customer && customer.balance).toBeLessThan(-3_000)
  })

  test('who comes back subscribes with the card on file, without another trial (SUB-3)', async () => {
    const dia = await subscribed(world, 'return-dia', { plan: 'starter', price: 'monthly' })
    await command(dia, { action: 'cancel', when: 'now' })
    const body = { plan: 'starter' }
    const { data: shown } = await dia.owner.previewNewSubscription({ body })
    expect(shown).toMatchObject({ action: 'create', before: null, dueNow: { amountDue: { amountMinor: '1900' } } })
    await world.advance('PT1M')
    const { data } = await dia.owner.createSubscription({ body: { ...body, previewToken: shown.previewToken } })
    expect(data).toMatchObject({
      subscription: { status: 'active', plan: { plan: 'starter' } },
      command: { action: 'create', state: 'done' },
    })
    expect(data.subscription.id).not.toBe(dia.subscriptionId)
    expect(await refused(dia.owner.createSubscription({ body }))).toBe('subscription_held')
    expect((await invoicesOf(dia))[0]).toMatchObject({ status: 'paid', total: 1_900 })
  })

  test('who has no payment method on file is sent to a session (SUB-3)', async () => {
    const eli = await world.tenant('new-eli')
    const failure = await eli.createSubscription({ body: { plan: 'pro' } }).catch((error) => error)
    expect(failure).toMatchObject({ code: 'payment_method_required', status: 402 })
    expect(failure.problem.nextActions).toMatchObject([{ action: 'open_session' }])
  })

  test('while a page is open that could be paid, nothing is subscribed beside it (SUB-7)', async () => {
    const eve = await subscribed(world, 'return-eve')
    await command(eve, { action: 'cancel', when: 'now' })
    const { data: session } = await eve.owner.createSession({
      body: { plan: 'pro', returnUrl: 'http://127.0.0.1:9999/back' },
    })
    const failure = await eve.owner.createSubscription({ body: { plan: 'pro' } }).catch((error) => error)
    expect(failure).toMatchObject({ code: 'checkout_open', problem: { checkoutId: session.checkoutId } })
  })

  test('a return that the bank wants to see the customer for is incomplete and leads to the invoice (SUB-3)', async () => {
    const fox = await subscribed(world, 'return-fox')
    await useCard(world, fox, 'pm_card_chargeCustomerFail')
    await command(fox, { action: 'cancel', when: 'now' })
    const { data } = await fox.owner.createSubscription({ body: { plan: 'pro' } })
    expect(data.subscription.status).toBe('incomplete')
    expect(data.nextActions).toContainEqual(expect.objectContaining({ action: 'pay_invoice', url: expect.any(String) }))
    expect((await fox.owner.check({ body: { feature: 'sso' } })).data.allowed).toBe(false)
  })
})

describe('pauses', () => {
  test('a pause leaves reading only, and ends by hand (SUB-3)', async () => {
    const gus = await subscribed(world, 'pause-gus')
    const { subscription } = await command(gus, { action: 'pause' })
    expect(subscription).toMatchObject({ status: 'paused', accessLevel: 'read_only' })
    expect((await gus.owner.check({ body: { feature: 'sso' } })).data.allowed).toBe(false)
    expect(await refused(command(gus, { action: 'change', plan: 'scale' }))).toBe('command_not_allowed')
    const resumed = await command(gus, { action: 'resume' })
    expect(resumed.subscription).toMatchObject({ status: 'active', accessLevel: 'full' })
    expect((await gus.owner.check({ body: { feature: 'sso' } })).data.allowed).toBe(true)
  })

  test('a pause with an end is over at its time, once (SUB-3)', async () => {
    const hao = await subscribed(world, 'pause-hao')
    const resumesAt = world.clock.now().add({ hours: 48 }).toString()
    const { command: paused } = await command(hao, { action: 'pause', resumesAt })
    expect(paused.resumesAt).toBe(resumesAt)
    await world.advance('P1D')
    await sweepCommands(world.app.deps)
    expect((await statusOf(hao.owner)).status).toBe('paused')
    await world.advance('P1D')
    await world.advance('PT1M')
    await sweepCommands(world.app.deps)
    await statusOf(hao.owner, (seen) => seen.status === 'active')
    await sweepCommands(world.app.deps)
    expect((await auditOf(world, hao.tenantId)).filter((action) => action === 'subscription.resume.done')).toHaveLength(
      1,
    )
  })
})

describe('the end of a pause (SUB-3)', () => {
  const pausedUntil = async (tenantId: string, days: number) => {
    const story = await subscribed(world, tenantId)
    const resumesAt = world.clock
      .now()
      .add({ hours: 24 * days })
      .toString()
    await command(story, { action: 'pause', resumesAt })
    return story
  }

  test('a resumption that the provider refuses is tried once, and not again at every sweep', async () => {
    const una = await pausedUntil('refused-una', 2)
    await world.advance('P3D')
    const { deps } = world.app
    // The sandbox resumes whatever happens; some versions of the provider leave what is not paid for paused.
    const carryOut: typeof deps.provider.carryOut = async () => ({
      kind: 'payment_failed',
      actionRequired: false,
      invoiceUrl: null,
    })
    for (let sweep = 0; sweep < 3; sweep++) await sweepCommands({ ...deps, provider: { ...deps.provider, carryOut } })
    const tried = (await auditOf(world, una.tenantId)).filter((action) => action === 'subscription.resume.requested')
    expect(tried).toHaveLength(1)
    const failures = (await eventsOf(world, una.tenantId)).filter((type) => type === 'subscription.change_failed')
    expect(failures).toHaveLength(1)
  })

  test('who resumed by hand and paused anew is not resumed at the end of the old pause', async () => {
    const vic = await pausedUntil('again-vic', 2)
    await command(vic, { action: 'resume' })
    await command(vic, { action: 'pause' })
    await world.advance('P3D')
    await sweepCommands(world.app.deps)
    expect((await statusOf(vic.owner)).status).toBe('paused')
  })
})

test('a key that was used days ago is another request (API-3)', async () => {
  const wes = await subscribed(world, 'later-wes', { plan: 'pro', price: 'yearly' })
  await command(wes, { action: 'cancel' }, 'cancel-wes')
  await command(wes, { action: 'undo_cancel' })
  await world.advance('P3D')
  // What the nightly task does.
  await forgetOldRequests(world.app.deps.db, world.clock.now().subtract({ hours: 48 }))
  expect((await command(wes, { action: 'cancel' }, 'cancel-wes')).subscription.endsAt).not.toBeNull()
})

describe('trials', () => {
  test('a trial that is ended early is paid at once (SUB-3)', async () => {
    const ivo = await subscribed(world, 'trial-ivo', { plan: 'starter', price: 'monthly' })
    const { data: shown } = await ivo.owner.previewSubscription({
      params: { subscriptionId: ivo.subscriptionId },
      body: { action: 'end_trial' },
    })
    expect(shown.dueNow!.amountDue.amountMinor).toBe('1900')
    // A minute to read it: the period begins later than shown, at the same price.
    await world.advance('PT1M')
    const { subscription } = await command(ivo, { action: 'end_trial', previewToken: shown.previewToken })
    expect(subscription).toMatchObject({ status: 'active', trialEndsAt: null })
    expect((await invoicesOf(ivo))[0]).toMatchObject({ status: 'paid', total: 1_900 })
  })

  test('a change in a trial costs nothing and keeps the trial (SUB-3)', async () => {
    const jan = await subscribed(world, 'trial-jan', { plan: 'starter', price: 'monthly' })
    const before = await statusOf(jan.owner)
    const invoices = (await invoicesOf(jan)).length
    const { subscription } = await command(jan, { action: 'change', plan: 'pro' })
    expect(subscription).toMatchObject({ status: 'trialing', plan: { plan: 'pro' }, trialEndsAt: before.trialEndsAt })
    expect(await invoicesOf(jan)).toHaveLength(invoices)
  })
})

describe('while the provider is silent', () => {
  test('a cancellation at the end is agreed to at once and carried out later, exactly once (SUB-3)', async () => {
    const kai = await subscribed(world, 'silent-kai')
    await trouble({ action: 'outage' })
    const answer = await world.send('PATCH', `/api/v1/subscriptions/${kai.subscriptionId}`, {
      body: JSON.stringify({ action: 'cancel' }),
    })
    expect(answer.status, answer.text).toBe(202)
    expect(answer.json.data).toMatchObject({ command: { state: 'queued' }, subscription: { endsAt: null } })
    expect(await refused(command(kai, { action: 'change', plan: 'scale' }))).not.toBe('it was done')
    await world.advance('PT1M')
    await sweepCommands(world.app.deps)
    await heal()
    await world.advance('PT1M')
    await eventually(
      async () => {
        await sweepCommands(world.app.deps)
        return (await kai.owner.getStatus({ query: {} })).data.endsAt
      },
      (endsAt) => endsAt !== null,
    )
    await sweepCommands(world.app.deps)
    expect((await auditOf(world, kai.tenantId)).filter((action) => action === 'subscription.cancel.done')).toHaveLength(
      1,
    )
  })

  test('what charges is not agreed to unseen: nothing is saved, nothing happens later (SUB-3)', async () => {
    const kit = await subscribed(world, 'silent-kit')
    await trouble({ action: 'outage' })
    for (const ask of [
      { action: 'change', plan: 'scale' },
      { action: 'cancel', when: 'now' },
    ] satisfies Ask[])
      expect(await refused(command(kit, ask))).toBe('provider_unavailable')
    await heal()
    await world.advance('PT1M')
    await sweepCommands(world.app.deps)
    expect(await auditOf(world, kit.tenantId)).not.toContain('subscription.change.requested')
    expect(await statusOf(kit.owner)).toMatchObject({ status: 'active', plan: { plan: 'pro' } })
  })

  test('an upgrade whose answer was lost is retryable, and the repeat charges nothing again (SUB-3)', async () => {
    const lea = await subscribed(world, 'silent-lea')
    // Done, and then neither the answer, nor that of the SDK's own repeat, nor a webhook arrives.
    await trouble({ action: 'reset', method: 'POST', path: '/v1/subscriptions/*', after: true, count: 1 })
    await trouble({ action: 'outage', method: 'POST', path: '/v1/subscriptions/*' })
    await trouble({ kind: 'webhook', action: 'drop', type: '*' })
    const upgrade = () => command(lea, { action: 'change', plan: 'scale' }, 'lea-1')
    expect(await refused(upgrade())).toBe('provider_unavailable')
    await heal()
    const { subscription, command: done } = await eventually(
      () => upgrade().catch(() => null),
      (answer) => answer !== null,
    ).then((answer) => answer!)
    expect(subscription.plan.plan).toBe('scale')
    expect(done.state).toBe('done')
    expect((await invoicesOf(lea)).filter(({ billing_reason: why }) => why === 'subscription_update')).toHaveLength(1)
  })

  test('a return whose answer was lost is found by a look, and there is one subscription (SUB-3)', async () => {
    const lou = await subscribed(world, 'silent-lou')
    await command(lou, { action: 'cancel', when: 'now' })
    const create = () => lou.owner.createSubscription({ body: { plan: 'pro' }, retries: 0, idempotencyKey: 'lou-1' })
    await trouble({ action: 'reset', method: 'POST', path: '/v1/subscriptions', after: true, count: 1 })
    await trouble({ action: 'outage' })
    await trouble({ kind: 'webhook', action: 'drop', type: '*' })
    expect(await refused(create())).toBe('provider_unavailable')
    await heal()
    await eventually(
      () => refused(create()),
      (outcome) => outcome === 'it was done',
    )
    const { data } = await stripeOf(world).subscriptions.list({ customer: lou.providerCustomerId, status: 'active' })
    expect(data).toHaveLength(1)
    expect((await invoicesOf(lou)).filter(({ status }) => status === 'paid')).toHaveLength(2)
  })

  test('an upgrade that never arrived is not charged later: it has failed, and the old plan stays (SUB-3)', async () => {
    const mia = await subscribed(world, 'silent-mia')
    await trouble({ action: 'outage', method: 'POST', path: '/v1/subscriptions/*' })
    expect(await refused(command(mia, { action: 'change', plan: 'scale' }))).toBe('provider_unavailable')
    await heal()
    await world.advance('PT1M')
    await sweepCommands(world.app.deps)
    expect(await refused(command(mia, { action: 'change', seats: 5 }))).toBe('change_under_way')
    // Nor on a hosted page: both could come about.
    const session = { plan: 'scale', price: 'monthly', returnUrl: 'http://127.0.0.1:9999/back' }
    expect(await refused(mia.owner.createSession({ body: session, retries: 0 }))).toBe('change_under_way')
    await world.advance('PT6M')
    await eventually(
      async () => {
        await sweepCommands(world.app.deps)
        return auditOf(world, mia.tenantId)
      },
      (actions) => actions.includes('subscription.change.failed'),
    )
    expect((await statusOf(mia.owner)).plan.plan).toBe('pro')
    expect((await invoicesOf(mia)).filter(({ billing_reason: why }) => why === 'subscription_update')).toEqual([])
    const { subscription } = await command(mia, { action: 'change', plan: 'scale' })
    expect(subscription.plan.plan).toBe('scale')
  })
})

describe('who may, and how often', () => {
  test('of two commands at the same time one wins (SUB-7)', async () => {
    const nia = await subscribed(world, 'race-nia')
    await trouble({ action: 'slow', method: 'POST', path: '/v1/subscriptions/*', ms: 300, count: 1 })
    const outcomes = await Promise.all([
      refused(command(nia, { action: 'change', plan: 'scale' })),
      refused(command(nia, { action: 'change', plan: 'scale' })),
    ])
    expect(outcomes.sort()).toEqual(['change_under_way', 'it was done'])
    expect((await invoicesOf(nia)).filter(({ billing_reason: why }) => why === 'subscription_update')).toHaveLength(1)
  })

  test('a repeat with the same key gets the first answer (API-3)', async () => {
    const ole = await subscribed(world, 'repeat-ole')
    const first = await command(ole, { action: 'cancel' }, 'ole-1')
    expect(await command(ole, { action: 'cancel' }, 'ole-1')).toEqual(first)
    expect(await refused(command(ole, { action: 'undo_cancel' }, 'ole-1'))).toBe('idempotency_key_reused')
  })

  test('another tenant finds nothing, a member and support may not (SEC-1, API-1)', async () => {
    const pat = await subscribed(world, 'private-pat')
    const params = { subscriptionId: pat.subscriptionId }
    const stranger = await world.tenant('private-stranger')
    const as = async (role: 'member' | 'viewer' | 'support' | 'agent' | 'admin' | 'billing') =>
      world.as(role, role === 'support' || role === 'agent' ? null : pat.tenantId)
    const ask = { params, body: { action: 'cancel' as const } }
    expect(await refused(stranger.commandSubscription(ask))).toBe('not_found')
    expect(await refused(stranger.previewSubscription(ask))).toBe('not_found')
    for (const role of ['member', 'viewer', 'support', 'agent'] as const) {
      expect(await refused((await as(role)).commandSubscription(ask)), role).toBe('forbidden')
      expect(await refused((await as(role)).previewSubscription(ask)), role).toBe('forbidden')
    }
    expect((await statusOf(pat.owner)).endsAt).toBeNull()
    for (const role of ['admin', 'billing'] as const)
      expect((await (await as(role)).previewSubscription(ask)).data.timing).toBe('period_end')
  })
})
