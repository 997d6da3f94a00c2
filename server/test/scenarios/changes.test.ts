import type { CommandPreview } from '@turnpike/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stripeOf } from '../support/pay.ts'
import { advanceBilling, auditOf, eventsOf, type Subscriber, statusOf, subscribed, useCard } from '../support/story.ts'
import { startWorld, type World } from '../support/world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.stop())

type Ask = Parameters<Subscriber['owner']['commandSubscription']>[0]['body']
const command = async ({ owner, subscriptionId }: Subscriber, body: Ask) =>
  (await owner.commandSubscription({ params: { subscriptionId }, body, retries: 0 })).data
const preview = async (
  { owner, subscriptionId }: Subscriber,
  body: Omit<Ask, 'previewToken'>,
): Promise<CommandPreview> => (await owner.previewSubscription({ params: { subscriptionId }, body, retries: 0 })).data
const refused = (attempt: Promise<unknown>) =>
  attempt.then(
    () => 'it was done',
    (error: { code?: string }) => error.code,
  )
const newestInvoice = async ({ providerCustomerId }: Subscriber) => {
  const { data } = await stripeOf(world).invoices.list({
    customer: providerCustomerId,
    limit: 1,
  })
  return data[0]!
}
const invoiceCount = async ({ providerCustomerId }: Subscriber) =>
  (await stripeOf(world).invoices.list({ customer: providerCustomerId, limit: 100 })).data.length

describe('more, at once', () => {
  test('with a clock of ours that is behind the provider’s, nothing is prorated from before the period', async () => {
    const ina = await subscribed(world, 'upgrade-behind')
    world.clock.advance('-PT40S')
    try {
      const { command: done } = await command(ina, { action: 'change', plan: 'scale' })
      expect(done.state).toBe('done')
    } finally {
      world.clock.advance('PT40S')
    }
    // The whole difference, and nothing of a period that there never was.
    expect((await newestInvoice(ina)).total).toBe(19_900 - 4_900)
    expect(await invoiceCount(ina)).toBe(2)
  })

  test('an upgrade costs to the cent and the second what its preview showed (SUB-4)', async () => {
    const ana = await subscribed(world, 'upgrade-ana')
    await world.advance('P10D')
    const shown = await preview(ana, { action: 'change', plan: 'scale' })
    expect(shown).toMatchObject({
      timing: 'now',
      before: { plan: { plan: 'pro' }, seats: 3 },
      after: { plan: { plan: 'scale' }, price: 'monthly', seats: 10 },
      guardrails: [],
      nextRenewal: { invoice: { total: { amountMinor: '19900', currency: 'USD' } } },
    })
    expect(shown.dueNow!.lines.map(({ proration }) => proration)).toEqual([true, true])
    expect(shown.entitlements.gained).toContain('priority_support')
    await world.advance('PT1M')
    const answer = await command(ana, { action: 'change', plan: 'scale', previewToken: shown.previewToken })
    expect(answer).toMatchObject({
      subscription: { plan: { plan: 'scale' }, seats: 10, status: 'active' },
      command: { action: 'change', state: 'done' },
    })
    const invoice = await newestInvoice(ana)
    expect(invoice).toMatchObject({ status: 'paid', billing_reason: 'subscription_update' })
    expect(String(invoice.total)).toBe(shown.dueNow!.total.amountMinor)
    expect(invoice.lines.data.map((line) => [line.description, String(line.amount)])).toEqual(
      shown.dueNow!.lines.map((line) => [line.description, line.amount.amountMinor]),
    )
    expect((await ana.owner.check({ body: { feature: 'priority_support' } })).data.allowed).toBe(true)
    expect(await auditOf(world, ana.tenantId)).toEqual(
      expect.arrayContaining(['subscription.change.requested', 'subscription.updated', 'subscription.change.done']),
    )
    await eventsOf(
      world,
      ana.tenantId,
      (types) => types.includes('entitlements.updated') && types.includes('invoice.paid'),
    )
  })

  test('a preview is refused once the world has changed, and nothing is charged (SUB-4)', async () => {
    const bob = await subscribed(world, 'stale-bob')
    const shown = await preview(bob, { action: 'change', plan: 'scale' })
    await command(bob, { action: 'change', addOns: [{ addOn: 'call_pack', quantity: 1 }] })
    const before = await invoiceCount(bob)
    const { previewToken } = shown
    expect(await refused(command(bob, { action: 'change', plan: 'scale', previewToken }))).toBe('preview_stale')
    const again = await preview(bob, { action: 'change', plan: 'scale', addOns: [] })
    // Of another request, changed by hand, and too old.
    expect(await refused(command(bob, { action: 'change', plan: 'scale', previewToken: again.previewToken }))).toBe(
      'preview_stale',
    )
    expect(
      await refused(
        command(bob, { action: 'change', plan: 'scale', addOns: [], previewToken: `${again.previewToken}x` }),
      ),
    ).toBe('preview_stale')
    await world.advance('PT16M')
    expect(
      await refused(command(bob, { action: 'change', plan: 'scale', addOns: [], previewToken: again.previewToken })),
    ).toBe('preview_stale')
    expect(await invoiceCount(bob)).toBe(before)
    expect((await statusOf(bob.owner)).plan.plan).toBe('pro')
  })

  test('seats are added at once and given back at the end of the period; what is held says both (SUB-3)', async () => {
    const cem = await subscribed(world, 'seats-cem')
    const { subscription } = await command(cem, { action: 'change', seats: 6 })
    expect(subscription).toMatchObject({ seats: 6, plan: { plan: 'pro' }, pendingChange: null })
    const less = await command(cem, { action: 'change', seats: 4 })
    expect(less.subscription).toMatchObject({
      seats: 6,
      pendingChange: {
        kind: 'plan_change',
        effectiveAt: subscription.period.end,
        to: { plan: 'pro' },
        price: 'monthly',
        seats: 4,
      },
    })
    expect(less.command).toMatchObject({ state: 'done', effectiveAt: subscription.period.end })
    await advanceBilling(world, 'P1M')
    const after = await statusOf(cem.owner, (seen) => seen.subscription?.seats === 4)
    expect(after.pendingChange).toBeNull()
  })

  test('an add-on is added at once with what it gives, and taken away at the end of the period (SUB-3)', async () => {
    const dan = await subscribed(world, 'addon-dan')
    const shown = await preview(dan, { action: 'change', addOns: [{ addOn: 'extra_projects', quantity: 2 }] })
    expect(shown.entitlements).toMatchObject({ gained: ['projects'], lost: [], changed: [] })
    const { subscription } = await command(dan, {
      action: 'change',
      addOns: [{ addOn: 'extra_projects', quantity: 2 }],
      previewToken: shown.previewToken,
    })
    expect(subscription.addOns).toEqual([{ addOn: 'extra_projects', quantity: 2 }])
    expect((await dan.owner.check({ body: { feature: 'projects' } })).data.decisions[0]!.value).toBe(40)
    const lesser = await preview(dan, { action: 'change', addOns: [] })
    expect(lesser).toMatchObject({ timing: 'period_end', dueNow: null, entitlements: { lost: ['projects'] } })
    expect(lesser.nextRenewal!.invoice.total.amountMinor).toBe('4900')
    await command(dan, { action: 'change', addOns: [], previewToken: lesser.previewToken })
    expect((await dan.owner.check({ body: { feature: 'projects' } })).data.decisions[0]!.value).toBe(40)
    await advanceBilling(world, 'P1M')
    await statusOf(dan.owner, (seen) => seen.subscription?.addOns.length === 0)
    expect((await dan.owner.check({ body: { feature: 'projects' } })).data.decisions[0]!.value).toBe(20)
    expect((await newestInvoice(dan)).total).toBe(4_900)
  })

  test('from a month to a year at once, and back to a month at the end of the year (SUB-3)', async () => {
    const eva = await subscribed(world, 'interval-eva')
    await world.advance('P5D')
    const shown = await preview(eva, { action: 'change', price: 'yearly' })
    expect(shown).toMatchObject({ timing: 'now', after: { interval: 'year' } })
    const { subscription } = await command(eva, { action: 'change', price: 'yearly', previewToken: shown.previewToken })
    expect(subscription).toMatchObject({ price: 'yearly', interval: 'year' })
    expect(String((await newestInvoice(eva)).total)).toBe(shown.dueNow!.total.amountMinor)
    const back = await command(eva, { action: 'change', price: 'monthly' })
    expect(back.subscription).toMatchObject({
      price: 'yearly',
      pendingChange: { price: 'monthly', interval: 'month', effectiveAt: subscription.period.end },
    })
  })
})

describe('less, at the end of what was paid', () => {
  test('a downgrade waits, shows what will be lost, and comes at its time (SUB-4)', async () => {
    const fay = await subscribed(world, 'downgrade-fay', { plan: 'scale', price: 'monthly' })
    const shown = await preview(fay, { action: 'change', plan: 'pro' })
    expect(shown).toMatchObject({ timing: 'period_end', dueNow: null, after: { plan: { plan: 'pro' }, seats: 3 } })
    expect(shown.entitlements.lost).toContain('priority_support')
    expect(shown.nextRenewal).toMatchObject({ at: shown.effectiveAt, invoice: { total: { amountMinor: '4900' } } })
    const invoices = await invoiceCount(fay)
    const { subscription } = await command(fay, { action: 'change', plan: 'pro', previewToken: shown.previewToken })
    expect(subscription).toMatchObject({
      plan: { plan: 'scale' },
      pendingChange: { kind: 'plan_change', to: { plan: 'pro' }, effectiveAt: shown.effectiveAt },
    })
    expect(await invoiceCount(fay)).toBe(invoices)
    expect((await fay.owner.check({ body: { feature: 'priority_support' } })).data.allowed).toBe(true)
    await advanceBilling(world, 'P1M')
    const after = await statusOf(fay.owner, (seen) => seen.plan.plan === 'pro')
    expect(after.pendingChange).toBeNull()
    expect((await fay.owner.check({ body: { feature: 'priority_support' } })).data.allowed).toBe(false)
    expect((await newestInvoice(fay)).total).toBe(4_900)
  })

  test('a change that waits can be taken back or replaced, and is not lost to one at once (SUB-3)', async () => {
    const gil = await subscribed(world, 'undo-gil', { plan: 'scale', price: 'monthly' })
    expect(await refused(command(gil, { action: 'undo_change' }))).toBe('command_not_allowed')
    await command(gil, { action: 'change', plan: 'pro' })
    const undone = await command(gil, { action: 'undo_change' })
    expect(undone.subscription).toMatchObject({ plan: { plan: 'scale' }, pendingChange: null })
    await command(gil, { action: 'change', plan: 'pro' })
    const replaced = await command(gil, { action: 'change', plan: 'starter' })
    expect(replaced.subscription.pendingChange).toMatchObject({ to: { plan: 'starter' } })
    const failure = await command(gil, { action: 'change', seats: 12 }).catch((error) => error)
    expect(failure).toMatchObject({ code: 'command_not_allowed', problem: { reason: 'change_pending' } })
    expect((await statusOf(gil.owner)).pendingChange).toMatchObject({ to: { plan: 'starter' } })
    await command(gil, { action: 'undo_change' })
    const more = await command(gil, { action: 'change', seats: 12 })
    expect(more.subscription).toMatchObject({ plan: { plan: 'scale' }, seats: 12, pendingChange: null })
    await advanceBilling(world, 'P1M')
    const after = await statusOf(gil.owner, (seen) => seen.period!.start === more.subscription.period.end)
    expect(after).toMatchObject({ plan: { plan: 'scale' }, seats: { held: 12 } })
  })

  test('what makes no sense is refused with its reason, and nothing is asked', async () => {
    const hal = await subscribed(world, 'refused-hal')
    const invoices = await invoiceCount(hal)
    const codes = async (...asks: Ask[]) => Promise.all(asks.map((ask) => refused(command(hal, ask))))
    expect(
      await codes(
        { action: 'change', plan: 'pro' },
        { action: 'change', currency: 'EUR' },
        { action: 'change', plan: 'gold' },
        { action: 'change', plan: 'free' },
        { action: 'change', plan: 'classic' },
        { action: 'change', seats: 51 },
        { action: 'change', addOns: [{ addOn: 'sugar', quantity: 1 }] },
        { action: 'undo_cancel' },
        { action: 'resume' },
        { action: 'end_trial' },
        { action: 'pause', plan: 'pro' },
        { action: 'cancel', creditUnused: true, when: 'now' },
      ),
    ).toEqual([
      'nothing_to_change',
      'currency_fixed',
      'plan_unknown',
      'plan_not_available',
      'plan_not_available',
      'plan_not_available',
      'plan_unknown',
      'command_not_allowed',
      'command_not_allowed',
      'command_not_allowed',
      'invalid_request',
      'command_not_allowed',
    ])
    expect(await invoiceCount(hal)).toBe(invoices)
    expect((await auditOf(world, hal.tenantId)).filter((action) => action.endsWith('.requested'))).toEqual([])
  })
})

test('what the hosted page cannot change is led here, and is changed here (SUB-4)', async () => {
  const lil = await subscribed(world, 'hosted-lil', { plan: 'pro', price: 'monthly', seats: 5 })
  const failure = await lil.owner
    .createSession({ body: { plan: 'scale', price: 'monthly', returnUrl: 'http://127.0.0.1:9999/back' } })
    .catch((error) => error)
  expect(failure).toMatchObject({
    code: 'plan_not_available',
    problem: { subscriptionId: lil.subscriptionId, nextActions: [{ action: 'preview_change' }] },
  })
  const { subscription } = await command(lil, { action: 'change', plan: 'scale' })
  expect(subscription).toMatchObject({ plan: { plan: 'scale' }, seats: 10 })
})

describe('an upgrade that is not paid', () => {
  test('leaves the old plan, says so, and comes into force when its invoice is paid (SUB-3)', async () => {
    const ida = await subscribed(world, 'unpaid-ida')
    await useCard(world, ida, 'pm_card_chargeCustomerFail')
    const failure = await command(ida, { action: 'change', plan: 'scale' }).catch((error) => error)
    expect(failure).toMatchObject({ code: 'payment_failed', status: 402 })
    expect(failure.problem.invoiceUrl).toMatch(/^http/)
    const waiting = await statusOf(ida.owner, (seen) => seen.pendingChange !== null)
    expect(waiting).toMatchObject({
      status: 'active',
      plan: { plan: 'pro' },
      pendingChange: { kind: 'payment_required', to: { plan: 'scale' } },
    })
    await eventsOf(world, ida.tenantId, (types) => types.includes('subscription.change_failed'))
    expect(await auditOf(world, ida.tenantId)).toContain('subscription.change.failed')
    await useCard(world, ida, 'pm_card_visa')
    const invoice = await newestInvoice(ida)
    await stripeOf(world).invoices.pay(invoice.id!)
    const after = await statusOf(ida.owner, (seen) => seen.plan.plan === 'scale')
    expect(after.pendingChange).toBeNull()
  })

  test('is dropped after 23 hours, and nothing is owed (SUB-3)', async () => {
    const jon = await subscribed(world, 'unpaid-jon')
    await useCard(world, jon, 'pm_card_chargeCustomerFail')
    expect(await refused(command(jon, { action: 'change', plan: 'scale' }))).toBe('payment_failed')
    await statusOf(jon.owner, (seen) => seen.pendingChange?.kind === 'payment_required')
    await world.advance('PT24H')
    const after = await statusOf(jon.owner, (seen) => seen.pendingChange === null)
    expect(after).toMatchObject({ status: 'active', plan: { plan: 'pro' } })
    expect((await newestInvoice(jon)).status).toBe('void')
  })

  test('can be tried again with another card, and is charged once (SUB-3)', async () => {
    const kim = await subscribed(world, 'unpaid-kim')
    await useCard(world, kim, 'pm_card_chargeCustomerFail')
    expect(await refused(command(kim, { action: 'change', plan: 'scale' }))).toBe('payment_failed')
    await useCard(world, kim, 'pm_card_visa')
    const { subscription } = await command(kim, { action: 'change', plan: 'scale' })
    expect(subscription).toMatchObject({ plan: { plan: 'scale' }, pendingChange: null })
    const { data } = await stripeOf(world).invoices.list({ customer: kim.providerCustomerId, limit: 100 })
    const upgrades = data.filter((invoice) => invoice.billing_reason === 'subscription_update')
    expect(upgrades.map(({ status }) => status).sort()).toEqual(['paid', 'void'])
  })
})
