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
})
