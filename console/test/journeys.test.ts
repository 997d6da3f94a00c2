import { accessibilityViolations } from '@turnpike/local/accessibility'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startWorld, type World } from './support/browser.ts'
import { acmeId, fixtureId } from './support/fixtures.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(async () => {
  await world.stop()
})
beforeEach(() => {
  world.asked.length = 0
})

test('the credential leaves the address bar, stays in the tab, and is forgotten on signing out', async () => {
  const page = await world.open('/billing', 'owner.active')
  expect(new URL(page.url()).hash).toBe('')
  await page.reload()
  await page.getByRole('heading', { name: 'Billing' }).waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  expect(await page.evaluate(() => sessionStorage.getItem('turnpike-credential'))).toBeNull()
})

test('a pasted key signs in, and a refused one says so beside the field', async () => {
  const page = await world.open('/billing')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('Paste the key first.').waitFor()
  await page.getByLabel('API key or token').fill('nobody')
  await page.keyboard.press('Enter')
  await page.getByText('The key was not accepted').waitFor()
  await page.getByLabel('API key or token').fill('owner.active')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Billing' }).waitFor()
})

test('the start page is the billing page for customers and what waits for the house', async () => {
  const customer = await world.open('/', 'owner.active')
  await customer.waitForURL('**/billing')
  const operator = await world.open('/', 'support')
  await operator.waitForURL('**/operator')
})

test('a tenant in the address is only sent by people of the house', async () => {
  await world.open('/billing?tenantId=globex', 'owner.active')
  expect(world.asked).toContain('GET /billing/status')
  expect(world.asked.join()).not.toContain('globex')
  await world.open('/billing?tenantId=0042', 'operator')
  expect(world.asked).toContain('GET /billing/status?tenantId=0042')
})

test('coming back is reported once, and the page looks until the server says completed', async () => {
  const id = fixtureId('checkout', 'later')
  const page = await world.open(`/billing/return?checkout=${id}&outcome=returned`, 'owner.active')
  await page.getByRole('heading', { name: 'Scale is on' }).waitFor()
  await page.getByText('Entitlements version 43').waitFor()
  await page.reload()
  await page.getByRole('heading', { name: 'Scale is on' }).waitFor()
  const reports = world.asked.filter((asked) => asked.startsWith('POST'))
  expect(reports).toEqual([`POST /billing/checkouts/${id}/return {"outcome":"returned"}`])
})

test('the address alone never makes a payment look done', async () => {
  const id = fixtureId('checkout', 'failed')
  const page = await world.open(`/billing/return?checkout=${id}&outcome=completed&state=completed`, 'owner.active')
  await page.getByRole('heading', { name: 'The payment did not go through' }).waitFor()
})

test('an open checkout is offered to go on with or to replace', async () => {
  const page = await world.open('/billing/plans?interval=year', 'owner.checkout')
  await page.getByRole('button', { name: 'Choose Scale' }).click()
  const alert = page.getByRole('alert')
  await alert.getByText('Another checkout is still open').waitFor()
  expect(await alert.getByRole('link', { name: 'Go on with the open one' }).getAttribute('href')).toBe(
    'https://pay.example/c/1',
  )
  expect(await accessibilityViolations(page)).toEqual([])
  await alert.getByRole('button', { name: 'End it and open Scale' }).click()
  await page.getByText('Payment provider not reachable').waitFor()
  const [first, second] = world.asked
    .filter((asked) => asked.startsWith('POST /billing/session'))
    .map((asked) => JSON.parse(asked.slice(asked.indexOf('{'))))
  const origin = new URL(page.url()).origin
  expect(first).toEqual({
    plan: 'scale',
    price: 'yearly',
    currency: 'USD',
    returnUrl: `${origin}/billing/return`,
    cancelUrl: `${origin}/billing/return`,
  })
  expect(second).toEqual({ ...first, replaceOpen: true })
})

test('a plan that is held already leads to the portal', async () => {
  const page = await world.open('/billing/plans', 'owner.free')
  await page.getByRole('button', { name: 'Start 14-day trial' }).nth(1).click()
  await page.getByText('You have Pro with this interval already').waitFor()
  await page.getByRole('button', { name: 'Open the portal' }).waitFor()
})

test('whoever may not change the plan is told who may, and finds no button that always fails', async () => {
  const page = await world.open('/billing/plans', 'viewer.active')
  await page.getByText('Only the billing owner, an administrator or a billing contact').waitFor()
  expect(await page.getByRole('main').getByRole('button').count()).toBe(0)
})

test('the first key press offers to skip the navigation', async () => {
  const page = await world.open('/billing', 'owner.active')
  await page.keyboard.press('Tab')
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to content')
  await page.keyboard.press('Enter')
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('main')
})

test('going to another page puts the reader at its heading', async () => {
  const page = await world.open('/billing', 'owner.active')
  await page.getByRole('link', { name: 'Usage', exact: true }).click()
  await page.getByRole('heading', { level: 1, name: 'Usage' }).waitFor()
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe('Usage')
  expect(await page.title()).toBe('Usage · Turnpike')
})

test('what leads to another page is a link, also where it looks like a button', async () => {
  const page = await world.open('/billing', 'owner.active')
  expect(await page.getByRole('link', { name: 'Change plan' }).getAttribute('href')).toBe('/billing/plans')
  const back = await world.open(`/billing/return?checkout=${fixtureId('checkout', 'completed')}`, 'owner.active')
  expect(await back.getByRole('link', { name: 'Continue to billing' }).getAttribute('href')).toBe('/billing')
})

test('the colours follow the system until somebody chooses, and the choice survives a reload', async () => {
  const page = await world.open('/billing', 'owner.active', { colorScheme: 'light' })
  const scheme = () => page.locator('html').getAttribute('data-mantine-color-scheme')
  expect(await scheme()).toBe('light')
  await page.getByRole('button', { name: /^Colours: as the system/ }).click()
  await page.getByRole('button', { name: /^Colours: light/ }).click()
  expect(await scheme()).toBe('dark')
  await page.reload()
  await page.getByRole('button', { name: /^Colours: dark/ }).waitFor()
  expect(await scheme()).toBe('dark')
})

test('an operator opens a chain, filters by kind in the address, and asks why, by keyboard', async () => {
  const page = await world.open(`/operator/customers/${acmeId}`, 'operator')
  const chain = page.getByRole('button', { name: 'customer.subscription.updated came in: subscription changed' })
  await chain.focus()
  await page.keyboard.press('Enter')
  await page.getByText('Entitlements version 42 announced, gained export, changed api_calls', { exact: true }).waitFor()
  expect(await accessibilityViolations(page)).toEqual([])
  await page.getByRole('button', { name: 'Decision 2' }).focus()
  await page.keyboard.press('Space')
  await page.waitForURL('**?kinds=decision')
  expect(await chain.count()).toBe(0)
  await page.getByRole('link', { name: 'Ask why' }).first().click()
  await page.getByText('Denied: limit reached').first().waitFor()
  expect(new URL(page.url()).searchParams.get('feature')).toBe('exports')
  await page.goBack()
  await page.getByRole('button', { name: 'Decision 2', pressed: true }).waitFor()
})

test('an override needs a reason and a fitting value, and a refusal of the server is shown with its fields', async () => {
  const page = await world.open(`/operator/customers/${acmeId}`, 'operator')
  await page.getByRole('button', { name: 'Grant an override' }).click()
  await page.getByRole('button', { name: 'Grant override' }).click()
  await page.getByText('Say why, in at least 3 characters.').waitFor()
  expect(await accessibilityViolations(page)).toEqual([])
  await page.getByLabel('New limit').fill('20,000')
  await page.getByLabel('Reason').fill('Launch week')
  await page.getByRole('button', { name: 'Grant override' }).click()
  await page.getByText('is smaller than what is used').waitFor()
  const sent = world.asked.find((asked) => asked.startsWith('POST /entitlements/overrides'))
  expect(JSON.parse(sent!.slice(sent!.indexOf('{')))).toMatchObject({
    tenantId: 'acme',
    feature: 'api_calls',
    set: { limit: 20_000 },
    reason: 'Launch week',
  })
})

test('withdrawing an override asks once more', async () => {
  const page = await world.open(`/operator/customers/${acmeId}`, 'operator')
  await page.getByRole('button', { name: 'Withdraw the override of tokens' }).click()
  expect(world.asked.filter((asked) => asked.startsWith('DELETE'))).toEqual([])
  await page.getByRole('button', { name: 'Withdraw tokens' }).click()
  await expect.poll(() => world.asked.filter((asked) => asked.startsWith('DELETE')).length).toBe(1)
})

test('a webhook opens beside the list, has its own address, and Escape closes it', async () => {
  const page = await world.open('/operator/webhooks?state=dead', 'operator')
  await page.getByRole('link', { name: 'invoice.paid' }).click()
  await page.getByRole('dialog', { name: 'invoice.paid' }).waitFor()
  expect(new URL(page.url()).search).toBe('?state=dead&webhook=in1')
  await page.keyboard.press('Escape')
  await page.waitForURL('**/operator/webhooks?state=dead')
})

test('a replay is not called done before the server shows its effect', async () => {
  const page = await world.open('/operator/webhooks?webhook=in1', 'operator')
  await page.getByRole('button', { name: 'Replay this webhook' }).click()
  await page.getByText('Asked for. Waiting for the effect').waitFor()
  expect(world.asked).toContain('POST /webhooks/inbox/in1/replay')
})

test('auditors see everything and no button that changes something', async () => {
  const page = await world.open('/operator/webhooks?webhook=in1', 'auditor')
  await page.getByText('Your role cannot replay webhooks.').waitFor()
  const customer = await world.open(`/operator/customers/${acmeId}`, 'auditor')
  expect(await customer.getByRole('button', { name: /override|provider again/i }).count()).toBe(0)
})

test('replaying many is counted first, then confirmed, then goes part by part to the end (WEB-4, OPS-3)', async () => {
  const page = await world.open('/operator/webhooks', 'operator')
  await page.getByRole('link', { name: 'Replay several' }).click()
  await page.getByLabel('Received from (UTC)').fill('2026-11-20T10:00')
  await page.getByRole('button', { name: 'Count them first' }).click()
  await page.getByText('1,200 webhooks', { exact: true }).waitFor()
  const replays = () => world.asked.filter((asked) => asked.startsWith('POST /webhooks/replay'))
  expect(replays()).toEqual(['POST /webhooks/replay {"from":"2026-11-20T10:00:00Z","states":["dead"],"dryRun":true}'])
  await page.getByRole('button', { name: 'Replay 1,200 webhooks' }).click()
  await page.getByText('1,200 asked for.').waitFor()
  expect(await page.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('100')
  expect(replays().slice(1)).toEqual(
    ['', ',"cursor":"part2"', ',"cursor":"part3"'].map(
      (cursor) => `POST /webhooks/replay {"from":"2026-11-20T10:00:00Z","states":["dead"],"limit":500${cursor}}`,
    ),
  )
  expect(await accessibilityViolations(page)).toEqual([])
})

test('a changed description of what to replay has to be counted again', async () => {
  const page = await world.open('/operator/webhooks?replay=some', 'operator')
  await page.getByRole('button', { name: 'Count them first' }).click()
  await page.getByRole('button', { name: 'Replay 1,200 webhooks' }).waitFor()
  await page.getByLabel('Applied').check()
  expect(await page.getByRole('button', { name: /^Replay 1,200/ }).count()).toBe(0)
})

test('a finding is repaired with a reason, by keyboard, and a difference that stays is said (REC-2)', async () => {
  const page = await world.open('/operator/reconciliation', 'operator')
  await page.getByRole('link', { name: 'The plan or its version differs' }).focus()
  await page.keyboard.press('Enter')
  const panel = page.getByRole('dialog', { name: 'Finding' })
  await panel.getByRole('row', { name: 'plan (differs) pro scale' }).waitFor()
  await panel.getByRole('button', { name: 'Repair …' }).focus()
  await page.keyboard.press('Enter')
  await panel.getByRole('button', { name: 'Do the repair and look again' }).click()
  await panel.getByText('Say why.').waitFor()
  expect(world.asked.filter((asked) => asked.includes('/repair'))).toEqual([])
  await panel.getByLabel('Reason').fill('Ticket 815')
  await page.keyboard.press('Enter')
  await panel.getByText('The difference is still there').waitFor()
  expect(world.asked.filter((asked) => asked.includes('/repair'))).toEqual([
    `POST /reconciliation/findings/${fixtureId('finding', 'plan')}/repair {"reason":"Ticket 815"}`,
  ])
  expect(await accessibilityViolations(page)).toEqual([])
})

test('what only a person can decide is offered no repair, and auditors are offered nothing', async () => {
  const two = await world.open(`/operator/reconciliation?finding=${fixtureId('finding', 'two')}`, 'operator')
  await two.getByRole('button', { name: 'Accept as meant' }).waitFor()
  expect(await two.getByRole('button', { name: 'Repair' }).count()).toBe(0)
  const auditor = await world.open(`/operator/reconciliation?finding=${fixtureId('finding', 'plan')}`, 'auditor')
  await auditor.getByText('Your role cannot close findings.').waitFor()
  expect(await auditor.getByRole('button', { name: /Accept|Dismiss|Repair|Compare|Stop/ }).count()).toBe(0)
})

test('a comparison of everybody asks once more, and one of a customer says what came of it (REC-1)', async () => {
  const page = await world.open('/operator/reconciliation', 'finance.idle')
  await page.getByRole('button', { name: 'Compare everybody' }).click()
  expect(world.asked.filter((asked) => asked.startsWith('POST'))).toEqual([])
  await page.getByRole('button', { name: 'Start the full run' }).click()
  await expect
    .poll(() => world.asked.filter((asked) => asked.startsWith('POST')))
    .toEqual(['POST /reconciliation/runs {"scope":"all"}'])
  const customer = await world.open(`/operator/customers/${acmeId}`, 'support')
  await customer.getByRole('button', { name: 'Reconcile' }).click()
  await customer.getByText('Compared: 1 difference, 0 repaired.').waitFor()
})

test('the second person approves, and whoever asked cannot (ENT-2)', async () => {
  const page = await world.open('/operator/approvals', 'operator')
  await page.getByText('You asked for this, so somebody else has to approve it.').waitFor()
  expect(await page.getByRole('button', { name: 'Approve …' }).count()).toBe(1)
  await page.getByRole('button', { name: 'Approve …' }).click()
  await page.getByRole('button', { name: 'Approve: sso becomes on at once' }).click()
  await expect
    .poll(() => world.asked.filter((asked) => asked.includes('/approve')))
    .toEqual([`POST /entitlements/overrides/${fixtureId('override', 'asked')}/approve {}`])
  const support = await world.open('/operator/approvals', 'support')
  await support.getByText('A second person with the right to approve decides.').first().waitFor()
  expect(await support.getByRole('button', { name: /Approve|Reject/ }).count()).toBe(0)
})

test('a message is only sent again after a second question, and without a mail server that is said (DUN-2)', async () => {
  const page = await world.open(`/operator/notices?notice=${fixtureId('notice', 'failed')}`, 'operator.nomail')
  await page.getByRole('button', { name: 'Send again …' }).click()
  expect(world.asked.filter((asked) => asked.startsWith('POST'))).toEqual([])
  await page.getByRole('button', { name: 'Send it again' }).click()
  await page.getByText('No mail server', { exact: true }).last().waitFor()
  await page.getByRole('button', { name: 'As plain text' }).click()
  await page.getByText('Pay the invoice: https://pay.example/invoice/1').waitFor()
  expect(await accessibilityViolations(page)).toEqual([])
})

test('the preview of a message runs no script and has no way out of its frame', async () => {
  const page = await world.open('/operator/notices/templates?kind=payment_failed', 'operator')
  const frame = page.getByTitle('Message “Your payment of $49.00 for Pro did not go through”')
  expect(await frame.getAttribute('sandbox')).toBe('')
})

test('what needs somebody leads to where it is dealt with (UI-3)', async () => {
  const page = await world.open('/operator', 'operator')
  await page.getByText('It did not answer, so it is not asked for 24 seconds.').waitFor()
  const leads = async (name: string) => page.getByRole('link', { name }).getAttribute('href')
  expect(await leads('3 open findings')).toBe('/operator/reconciliation')
  expect(await leads('2 overrides wait')).toBe('/operator/approvals')
  expect(await leads('1 message failed')).toBe('/operator/notices?state=failed')
})

test('commands on a subscription lead to their review, and to nothing for roles without the right (SUB-3)', async () => {
  const page = await world.open(`/operator/customers/${acmeId}`, 'operator')
  expect(await page.getByRole('link', { name: 'Cancel …' }).getAttribute('href')).toBe(
    '/billing/subscription/cancel?tenantId=acme',
  )
  const support = await world.open(`/operator/customers/${acmeId}`, 'support')
  await support.getByText('Your role cannot change subscriptions.').waitFor()
  expect(await support.getByRole('link', { name: 'Cancel …' }).count()).toBe(0)
})

test('a pasted customer id leads straight to the customer', async () => {
  const page = await world.open('/operator', 'operator')
  await page.getByLabel('Find a customer').fill(` ${acmeId} `)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'Acme Robotics' }).waitFor()
})

test('when a refresh fails the old figures stay and say how old they are', async () => {
  const page = await world.open('/billing/usage', 'owner.active')
  // The same tab loses its right to read: from now on the service answers with a failure.
  await page.evaluate(() => sessionStorage.setItem('turnpike-credential', 'owner.broken'))
  await page.getByRole('button', { name: 'Refresh' }).click()
  await page.getByText('Could not refresh. Showing what was known at').waitFor()
  await page.getByText('6,230 of 10,000 calls').waitFor()
})

test('no page broke on these ways', () => {
  expect(world.failures).toEqual([])
})

test('usage over time: bars that a table says in words, another meter, another step, each with an address (USE-6)', async () => {
  const page = await world.open('/billing/usage', 'owner.active')
  const card = page.getByRole('region', { name: 'Over time' })
  await card.locator('svg .recharts-bar-rectangle').first().waitFor()
  expect(await card.locator('svg .recharts-bar-rectangle').count()).toBe(30)
  expect(await card.getByRole('note').textContent()).toMatch(/^Unusually much in the last whole hour: 400 .* about 12 /)
  expect(await card.textContent()).toMatch(/At the pace of the last week, about 12,400 /)
  await card.getByText('As a table').click()
  expect(await card.getByRole('row').count()).toBe(31)

  await card.getByRole('link', { name: '48 hours' }).click()
  await page.waitForURL(/step=hour/)
  await card.getByLabel('Meter').selectOption('exports')
  await page.waitForURL(/meter=exports/)
  await card.getByText('Nothing was used in this time').waitFor()
  expect(await accessibilityViolations(page)).toEqual([])
  await page.context().close()
})

test('a refund says what will happen before the click, and what it became after it', async () => {
  const page = await world.open('/operator/invoices/in_paid', 'support')
  const form = page.getByRole('form', { name: 'Give money back' })
  // The most that there is stands in the field.
  expect(await form.getByLabel('Amount in USD').inputValue()).toBe('39.00')
  await form.getByRole('button', { name: 'Ask for approval of $39.00 USD' }).waitFor()
  await form.getByLabel('Amount in USD').fill('50')
  await form.getByText('At most $39.00 USD.').waitFor()
  await form.getByLabel('Amount in USD').fill('10,50')
  await form.getByText('$10.50 USD goes back to where it was paid from. $28.50 USD can be given back').waitFor()
  const button = form.getByRole('button', { name: 'Give back $10.50 USD' })
  await button.click()
  await form.getByText('Say why, in at least 3 characters.').waitFor()
  expect(world.asked.filter((asked) => asked.startsWith('POST'))).toEqual([])
  await form.getByLabel('In words').fill('Charged twice')
  await button.click()
  await form.getByText('Done', { exact: true }).waitFor()
  expect(world.asked.filter((asked) => asked.startsWith('POST'))).toEqual([
    expect.stringMatching(/^POST \/invoices\/in_paid\/refunds \{"amountMinor":"1050",/),
  ])
  expect(await accessibilityViolations(page)).toEqual([])
})

test('a refund that waits is approved by somebody else, with its exact effect on the button', async () => {
  const page = await world.open('/operator/approvals', 'finance')
  await page.getByRole('button', { name: 'Approve $30.00 USD …' }).click()
  await page.getByRole('button', { name: 'Approve: $30.00 USD is sent at once' }).click()
  await expect
    .poll(() => world.asked.filter((asked) => asked.startsWith('POST')))
    .toEqual([`POST /refunds/${fixtureId('refund', 'asked')}/approve {}`])
  const support = await world.open('/operator/approvals', 'support')
  await support.getByText('A second person with the right to approve decides.').first().waitFor()
  expect(await support.getByRole('button', { name: /^Approve \$/ }).count()).toBe(0)
})

test('an invoice leads to its lines, its payment and its documents', async () => {
  const page = await world.open('/billing/invoices', 'owner.active')
  expect(await page.getByRole('link', { name: 'PDF of ACME-0003' }).getAttribute('href')).toBe(
    'https://pay.example/i/1/pdf',
  )
  await page.getByText('Visa ending in 4242').first().waitFor()
  await page.getByText('01/2024 – has expired').waitFor()
  await page.getByRole('link', { name: 'ACME-0003', exact: true }).click()
  await page.getByRole('heading', { name: 'Invoice ACME-0003' }).waitFor()
  await page.getByText('API calls above included').waitFor()
  await page.getByText('the card had expired or was closed').waitFor()
  expect(world.asked.filter((asked) => asked.startsWith('POST'))).toEqual([])
})
