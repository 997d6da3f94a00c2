import { accessibilityViolations } from '@turnpike/local/accessibility'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startWorld, type World } from './support/browser.ts'
import { acmeId, fixtureDecision, fixtureId } from './support/fixtures.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(async () => {
  await world.stop()
})

const back = (state: string) => `/billing/return?checkout=${fixtureId('checkout', state)}&outcome=returned`

/** Every page in the states that look different: path, who, the one first heading. */
const views: [path: string, who: string | undefined, heading: string][] = [
  ['/billing', undefined, 'Sign in'],
  ['/billing', 'nobody', 'Sign in'],
  ['/nowhere', 'owner.active', 'Not found'],
  ['/billing', 'owner.active', 'Billing'],
  ['/billing', 'owner.free', 'Billing'],
  ['/billing', 'owner.trial', 'Billing'],
  ['/billing', 'owner.pastdue', 'Billing'],
  ['/billing', 'owner.action', 'Billing'],
  ['/billing', 'owner.pending', 'Billing'],
  ['/billing', 'owner.checkout', 'Billing'],
  ['/billing', 'owner.ending', 'Billing'],
  ['/billing', 'owner.change', 'Billing'],
  ['/billing', 'owner.ended', 'Billing'],
  ['/billing', 'owner.broken', 'Billing'],
  ['/billing', 'viewer.trial', 'Billing'],
  ['/billing', 'operator', 'Whose billing page?'],
  ['/billing?tenantId=acme', 'operator', 'Billing'],
  ['/billing/plans', 'owner.active', 'Plans'],
  ['/billing/plans?interval=year', 'owner.free', 'Plans'],
  ['/billing/plans', 'owner.change', 'Plans'],
  ['/billing/plans', 'owner.empty', 'Plans'],
  ['/billing/plans', 'viewer.active', 'Plans'],
  ['/billing/usage', 'owner.active', 'Usage'],
  ['/billing/usage', 'owner.empty', 'Usage'],
  ['/billing/usage', 'owner.broken', 'Usage'],
  ['/billing/usage', 'owner.fresh', 'Usage'],
  ['/billing/usage', 'viewer.active', 'Usage'],
  ['/billing', 'owner.dunning', 'Billing'],
  ['/billing', 'owner.remediation', 'Billing'],
  ['/billing', 'owner.queued', 'Billing'],
  ['/billing', 'owner.paused', 'Billing'],
  ['/billing', 'owner.unpaid', 'Billing'],
  ['/billing', 'owner.returning', 'Billing'],
  ['/billing/change?plan=scale', 'owner.active', 'Change your plan'],
  ['/billing/change?plan=starter', 'owner.active', 'Change your plan'],
  ['/billing/change?plan=starter', 'owner.blocked', 'Change your plan'],
  ['/billing/change', 'owner.active', 'Change your plan'],
  ['/billing/change?plan=scale', 'owner.dunning', 'Change your plan'],
  ['/billing/change?plan=nothing', 'owner.active', 'Change your plan'],
  ['/billing/change?plan=scale', 'owner.returning', 'Change your plan'],
  ['/billing/change?plan=scale', 'owner.broken', 'Change your plan'],
  ['/billing/change?plan=scale', 'viewer.active', 'Change your plan'],
  ['/billing/subscription/cancel', 'owner.active', 'Cancel Pro'],
  ['/billing/subscription/cancel?when=now', 'owner.active', 'Cancel Pro'],
  ['/billing/subscription/cancel', 'owner.free', 'Cancel your plan'],
  ['/billing/subscription/keep', 'owner.ending', 'Keep Pro'],
  ['/billing/subscription/pause?until=2030-01-01', 'owner.active', 'Pause Pro'],
  ['/billing/subscription/resume', 'owner.paused', 'Resume Pro'],
  ['/billing/subscription/undo-change', 'owner.change', 'Take the change back'],
  ['/billing/subscription/end-trial', 'owner.trial', 'End the trial of Pro'],
  ['/billing/subscription/nothing', 'owner.active', 'Not found'],
  ['/billing/credits', 'owner.active', 'Credit and budget'],
  ['/billing/credits', 'owner.empty', 'Credit and budget'],
  ['/billing/credits', 'owner.broken', 'Credit and budget'],
  ['/billing/credits', 'viewer.active', 'Credit and budget'],
  ['/billing/invoices', 'owner.active', 'Invoices'],
  ['/billing/invoices?status=paid', 'owner.active', 'Invoices'],
  ['/billing/invoices?status=paid', 'owner.empty', 'Invoices'],
  ['/billing/invoices', 'owner.empty', 'Invoices'],
  ['/billing/invoices', 'owner.broken', 'Invoices'],
  ['/billing/invoices', 'owner.unreachable', 'Invoices'],
  ['/billing/invoices', 'viewer.active', 'Invoices'],
  ['/billing/invoices/in_paid', 'owner.active', 'Invoice ACME-0003'],
  ['/billing/invoices/in_draft', 'owner.empty', 'Invoice'],
  ['/billing/invoices/in_open', 'owner.active', 'Invoice ACME-0004'],
  ['/billing/invoices/in_none', 'owner.active', 'Invoice'],
  ['/billing/data', 'owner.returning', 'Your data'],
  ['/billing/data', 'owner.empty', 'Your data'],
  ['/billing/data', 'owner.broken', 'Your data'],
  ['/billing/data', 'viewer.active', 'Your data'],
  ['/billing/people', 'owner.asked', 'Billing owners'],
  ['/billing/people', 'owner.empty', 'Billing owners'],
  ['/billing/people', 'viewer.active', 'Billing owners'],
  [back('pending_sync'), 'owner.active', 'Confirming your payment'],
  [back('completed'), 'owner.active', 'Scale is on'],
  [back('open'), 'owner.active', 'You left before paying'],
  [back('failed'), 'owner.active', 'The payment did not go through'],
  [back('canceled'), 'owner.active', 'The checkout was canceled'],
  [back('expired'), 'owner.active', 'This checkout has ended'],
  [back('unknown'), 'owner.active', 'Not found'],
  ['/billing/return', 'owner.active', 'Not found'],
  ['/operator', 'owner.active', 'Not found'],
  ['/operator', 'operator', 'What needs you'],
  ['/operator', 'operator.empty', 'What needs you'],
  ['/operator', 'operator.broken', 'What needs you'],
  ['/operator/customers', 'operator', 'Customers'],
  ['/operator/customers?search=nobody', 'operator', 'Customers'],
  ['/operator/customers', 'operator.broken', 'Customers'],
  [`/operator/customers/${acmeId}`, 'operator', 'Acme Robotics'],
  [`/operator/customers/${acmeId}?kinds=webhook`, 'auditor', 'Acme Robotics'],
  [`/operator/customers/${fixtureId('customer', 'globex')}`, 'operator', 'Globex'],
  [`/operator/customers/${fixtureId('customer', 'nobody')}`, 'operator', 'Customer'],
  [`/operator/customers/${acmeId}`, 'operator.dunning', 'Acme Robotics'],
  [`/operator/customers/${acmeId}`, 'support.remediation', 'Acme Robotics'],
  [`/operator/customers/${acmeId}`, 'operator.returning', 'Acme Robotics'],
  [`/operator/customers/${acmeId}`, 'operator.queued', 'Acme Robotics'],
  ['/operator/invoices/in_paid', 'operator', 'Invoice ACME-0003'],
  [`/operator/invoices/in_paid?records=${fixtureId('line', 'calls')}`, 'auditor', 'Invoice ACME-0003'],
  ['/operator/invoices/in_open', 'support', 'Invoice ACME-0004'],
  ['/operator/invoices/in_void', 'operator', 'Invoice ACME-0001'],
  ['/operator/invoices/in_paid', 'auditor', 'Invoice ACME-0003'],
  ['/operator/approvals', 'operator', 'Approvals'],
  ['/operator/approvals', 'support', 'Approvals'],
  ['/operator/approvals', 'operator.empty', 'Approvals'],
  ['/operator/approvals', 'operator.broken', 'Approvals'],
  ['/operator/notices', 'operator', 'Notices'],
  ['/operator/notices?state=sent', 'operator.empty', 'Notices'],
  ['/operator/notices', 'operator.empty', 'Notices'],
  ['/operator/notices', 'operator.broken', 'Notices'],
  [`/operator/notices?notice=${fixtureId('notice', 'failed')}`, 'operator', 'Notices'],
  [`/operator/notices?notice=${fixtureId('notice', 'sent')}`, 'auditor', 'Notices'],
  ['/operator/notices/templates', 'operator', 'Templates'],
  ['/operator/notices/templates?kind=payment_failed', 'auditor', 'Templates'],
  ['/operator/reconciliation', 'operator', 'Reconciliation'],
  ['/operator/reconciliation', 'operator.empty', 'Reconciliation'],
  ['/operator/reconciliation', 'operator.broken', 'Reconciliation'],
  ['/operator/reconciliation?state=repaired&tenantId=acme', 'support', 'Reconciliation'],
  [`/operator/reconciliation?finding=${fixtureId('finding', 'plan')}`, 'operator', 'Reconciliation'],
  [`/operator/reconciliation?finding=${fixtureId('finding', 'ended')}`, 'auditor', 'Reconciliation'],
  [`/operator/reconciliation?state=all&finding=${fixtureId('finding', 'counter')}`, 'operator', 'Reconciliation'],
  ['/operator/webhooks', 'operator', 'Webhook inbox'],
  ['/operator/webhooks?replay=some', 'operator', 'Webhook inbox'],
  ['/operator/webhooks?state=dead', 'operator.empty', 'Webhook inbox'],
  ['/operator/webhooks?webhook=in1', 'operator', 'Webhook inbox'],
  ['/operator/webhooks?webhook=in2', 'auditor', 'Webhook inbox'],
  ['/operator/explain', 'operator', 'Explain a decision'],
  ['/operator/explain?tenantId=acme&feature=exports', 'operator', 'Explain a decision'],
  ['/operator/explain?tenantId=acme&feature=nothing', 'operator', 'Explain a decision'],
  [`/operator/explain?tenantId=acme&feature=exports&decision=${fixtureDecision(0)}`, 'operator', 'Explain a decision'],
  [`/operator/explain?tenantId=acme&feature=exports&decision=${fixtureDecision(1)}`, 'support', 'Explain a decision'],
  ['/operator/catalog', 'operator', 'Catalog'],
  ['/operator/audit', 'operator', 'Audit'],
  ['/operator/audit?result=denied', 'operator.empty', 'Audit'],
]

test.each(views)('%s as %s is accessible in both schemes and fits 320 pixels', async (path, who, heading) => {
  const page = await world.visit(path, who)
  expect(await page.locator('h1').allTextContents()).toEqual([heading])
  expect(await page.title()).toMatch(/ · Turnpike$/)
  expect(await accessibilityViolations(page)).toEqual([])

  await page.emulateMedia({ colorScheme: 'dark' })
  await page.locator('html[data-mantine-color-scheme="dark"]').waitFor()
  expect(await accessibilityViolations(page, 'colours')).toEqual([])

  await page.setViewportSize({ width: 320, height: 700 })
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320)
})

test('the fixtures fit the contract, no page broke, and nothing was asked of another origin', () => {
  expect(world.failures).toEqual([])
})
