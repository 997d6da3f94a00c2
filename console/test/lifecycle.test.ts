import { accessibilityViolations } from '@turnpike/local/accessibility'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startWorld, type World } from './support/browser.ts'
import { fixtureId } from './support/fixtures.ts'

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

const sent = (start: string) =>
  world.asked
    .filter((asked) => asked.startsWith(start))
    .map((asked) => JSON.parse(asked.slice(asked.indexOf('{'))) as Record<string, unknown>)
const keysOf = (page: Page, method: string) => {
  const keys: (string | undefined)[] = []
  page.on('request', (request) => {
    if (request.method() === method) keys.push(request.headers()['idempotency-key'])
  })
  return keys
}

test('an upgrade shows every line before the click, says the amount on the button, and applies what was shown (SUB-4)', async () => {
  const page = await world.open('/billing/plans', 'owner.active')
  await page.getByRole('link', { name: 'Upgrade to Scale' }).click()
  const review = page.getByRole('main')
  await review.getByText('Unused time on Pro').waitFor()
  for (const shown of ['-$21.00', '$85.29', '$12.21', '-$5.00', '$71.50 USD'])
    await review.getByText(shown, { exact: true }).first().waitFor()
  await review.getByText('what you have today stays in force').waitFor()
  await review.getByText('10,000 calls per period').first().waitFor()
  expect(sent('PATCH')).toEqual([])
  await page.getByRole('button', { name: 'Pay $71.50 USD and switch to Scale' }).click()
  await page.getByRole('heading', { level: 1, name: 'You are on Scale' }).waitFor()
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('You are on Scale')
  expect(sent('PATCH')).toEqual([{ action: 'change', plan: 'scale', price: 'monthly', previewToken: 'preview' }])
  expect(await accessibilityViolations(page)).toEqual([])
})

test('seats and add-ons are counted up by keyboard, stand in the address, and only they are asked for', async () => {
  const page = await world.open('/billing/change', 'owner.active')
  await page.getByText('These are your terms already').waitFor()
  await page.getByRole('button', { name: 'Seats: one more' }).focus()
  await page.keyboard.press('Enter')
  await page.waitForURL('**/billing/change?seats=8')
  await page.getByLabel('100 more gigabytes', { exact: true }).fill('3')
  await page.keyboard.press('Enter')
  await page.waitForURL('**seats=8&addOns=extra_storage%3A3')
  await page.getByRole('button', { name: /^Pay .* and change Pro$/ }).waitFor()
  expect(sent('POST').at(-1)).toEqual({
    action: 'change',
    seats: 8,
    addOns: [{ addOn: 'extra_storage', quantity: 3 }],
  })
})

test('amounts that moved are refused by the server, and both are shown before it is confirmed again', async () => {
  const page = await world.open('/billing/change?plan=scale', 'owner.stale')
  await page.getByRole('button', { name: /^Pay \$71\.50/ }).click()
  const alert = page.getByRole('alert')
  await alert.getByText('What would happen has changed').waitFor()
  await alert.getByText('$71.50 USD').waitFor()
  await alert.getByText('$99.90 USD').waitFor()
  expect(await accessibilityViolations(page)).toEqual([])
  await page.getByRole('button', { name: /^Pay \$99\.90/ }).click()
  await page.getByRole('heading', { level: 1, name: 'You are on Scale' }).waitFor()
})

test('a declined payment says what still holds and leads to the invoice, in both schemes', async () => {
  const page = await world.open('/billing/change?plan=scale', 'owner.declined', { colorScheme: 'light' })
  await page.getByRole('button', { name: /^Pay \$71\.50/ }).click()
  const alert = page.getByRole('alert')
  await alert.getByText('what you have today stays in force').waitFor()
  expect(await alert.getByRole('link', { name: 'Pay the invoice' }).getAttribute('href')).toBe(
    'https://pay.example/invoice/9',
  )
  expect(await page.getByRole('button', { name: /^Pay \$/ }).count()).toBe(0)
  expect(await accessibilityViolations(page)).toEqual([])
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.locator('html[data-mantine-color-scheme="dark"]').waitFor()
  expect(await accessibilityViolations(page, 'colours')).toEqual([])
  await alert.getByRole('button', { name: 'Look again' }).click()
  await page.getByRole('button', { name: /^Pay \$71\.50/ }).waitFor()
})

test('a bank that asks leads to its confirmation and not to paying twice', async () => {
  const page = await world.open('/billing/change?plan=scale', 'owner.confirming')
  await page.getByRole('button', { name: /^Pay \$71\.50/ }).click()
  await page.getByRole('alert').getByRole('link', { name: 'Confirm the payment' }).waitFor()
})

test('what was confirmed before a silence goes on with the same command under the same key, also after a reload', async () => {
  const page = await world.open('/billing/subscription/cancel', 'owner.silent')
  const keys = keysOf(page, 'PATCH')
  await page.getByRole('button', { name: /^End the plan on/ }).click()
  await page.getByText('Something broke here').waitFor()
  expect(await page.getByRole('button', { name: /^End the plan on/ }).count()).toBe(0)
  await page.reload()
  await page.getByRole('button', { name: /^End the plan on/ }).click()
  await page.getByRole('heading', { level: 1, name: /^Pro ends on/ }).waitFor()
  expect(keys.length).toBe(2)
  expect(new Set(keys).size).toBe(1)
})

test('a change to less lists what to reduce, and one that policy forbids cannot be confirmed (SUB-5)', async () => {
  const page = await world.open('/billing/change?plan=starter', 'owner.active')
  const row = page.getByRole('row', { name: /Projects/ })
  await row.getByText('12').waitFor()
  await row.getByText('7', { exact: true }).waitFor()
  expect(await page.getByRole('button', { name: /^Switch to Starter on/ }).isEnabled()).toBe(true)
  const blocked = await world.open('/billing/change?plan=starter', 'owner.blocked')
  await blocked.getByText('Reduce what is listed below, then the change is possible.').waitFor()
  expect(await blocked.getByRole('button', { name: /^Switch to Starter on/ }).isEnabled()).toBe(false)
})

test('cancelling says until when, what is lost and what becomes of the data; keeping the plan is one press away', async () => {
  const page = await world.open('/billing', 'owner.active')
  await page.getByRole('link', { name: 'Cancel plan' }).click()
  await page.getByText('Single sign-on').waitFor()
  await page.getByText('Your data may be deleted').waitFor()
  await page.getByRole('radio', { name: 'Now' }).focus()
  await page.keyboard.press('Space')
  await page.waitForURL('**?when=now')
  await page.getByRole('button', { name: 'End the plan now' }).waitFor()
  expect(sent('POST').at(-1)).toEqual({ action: 'cancel', when: 'now' })
  await page.getByRole('link', { name: 'Keep the plan' }).click()
  await page.waitForURL('**/billing')
  expect(sent('PATCH')).toEqual([])
})

test('a queued command is shown as waiting where it was asked for and on the overview (SUB-7)', async () => {
  const page = await world.open('/billing/subscription/cancel', 'owner.queued')
  await page.getByRole('button', { name: /^End the plan on/ }).click()
  await page.getByRole('heading', { level: 1, name: 'Agreed, and waiting for the payment provider' }).waitFor()
  await page.getByRole('link', { name: 'Continue to billing' }).click()
  await page.getByText('The cancellation is waiting').waitFor()
})

test('a pause has a date, and everything pending has its way back', async () => {
  const page = await world.open('/billing/subscription/pause', 'owner.active')
  await page.getByLabel('Goes on by itself on').fill('2030-01-31')
  await expect.poll(() => sent('POST').at(-1)).toEqual({ action: 'pause', resumesAt: '2030-01-31T00:00:00Z' })
  const ways: [state: string, link: RegExp, to: string][] = [
    ['ending', /^Keep Pro/, '/billing/subscription/keep'],
    ['change', /^Take it back/, '/billing/subscription/undo-change'],
    ['unpaid', /^Take it back/, '/billing/subscription/undo-change'],
    ['paused', /^Resume now/, '/billing/subscription/resume'],
    ['trial', /^End the trial now/, '/billing/subscription/end-trial'],
  ]
  for (const [state, link, to] of ways) {
    const overview = await world.open('/billing', `owner.${state}`)
    expect(await overview.getByRole('link', { name: link }).first().getAttribute('href'), state).toBe(to)
    await overview.context().close()
  }
})

test('who comes back pays with what is on file, and is led to the hosted page where nothing is', async () => {
  const page = await world.open('/billing/plans', 'owner.returning')
  await page.getByRole('link', { name: 'Choose Scale' }).click()
  await page.getByRole('button', { name: 'Pay $236.81 USD and start Scale' }).click()
  await page.getByRole('alert').getByText('No payment method is on file').waitFor()
  await page.getByRole('button', { name: 'Enter one and subscribe' }).click()
  await expect.poll(() => sent('POST /billing/session').length).toBeGreaterThan(0)
  expect(sent('POST /billing/session')[0]).toMatchObject({ plan: 'scale', price: 'monthly', currency: 'USD' })
})

test('messages are shown in the words that were mailed, with severity and the way on (DUN-2)', async () => {
  const page = await world.open('/billing', 'owner.dunning')
  await page.getByText('Unpaid, this follows on').waitFor()
  await page.getByText('Your payment of $49.00 did not go through').click()
  await page.getByText('Pay it here, or use another card.').waitFor()
  const message = page.getByRole('group').filter({ hasText: 'Pay it here' })
  expect(await message.getByRole('link', { name: 'Open' }).getAttribute('href')).toBe('https://pay.example/invoice/1')
  expect(await accessibilityViolations(page)).toEqual([])
})

test('an archive is made by one press, with its end and a link to fetch it (PRV-1)', async () => {
  const page = await world.open('/billing/data', 'owner.active')
  await page.getByRole('button', { name: 'Make a link to an archive' }).click()
  await page.getByText('The link is ready').waitFor()
  expect(await page.getByRole('link', { name: 'Download' }).first().getAttribute('href')).toBe(
    'https://billing.example/api/v1/exports/sealed',
  )
  expect(await accessibilityViolations(page)).toEqual([])
})

test('asking somebody to become owner names both mistakes, sends once, and can be taken back after a second look (CUS-3)', async () => {
  const page = await world.open('/billing/people', 'owner.active')
  await page.getByRole('button', { name: 'Send the request' }).click()
  await page.getByText('Say the name.').waitFor()
  await page.getByText('Say the e-mail address.').waitFor()
  expect(await accessibilityViolations(page)).toEqual([])
  await page.getByLabel('Name').fill('Cleo')
  await page.getByLabel('E-mail address').fill('cleo@acme.example')
  await page.keyboard.press('Enter')
  await expect.poll(() => sent('POST')).toEqual([{ to: { name: 'Cleo', email: 'cleo@acme.example' }, stays: true }])
  const open = await world.open('/billing/people', 'owner.asked')
  await open.getByRole('button', { name: 'Take it back' }).click()
  expect(await open.evaluate(() => document.activeElement?.textContent)).toBe('Stop')
  expect(world.asked.filter((asked) => asked.endsWith('/cancel'))).toEqual([])
  await open.getByRole('button', { name: 'Take the request back' }).click()
  await expect.poll(() => world.asked.filter((asked) => asked.endsWith('/cancel')).length).toBe(1)
})

test('the letter to a new owner: its token is no credential, leaves the address, and is sent only with the answer (CUS-3)', async () => {
  const id = fixtureId('transfer', 'one')
  const page = await world.open('/billing', 'member.active')
  await page.goto(`${new URL(page.url()).origin}/billing/owner-transfers/${id}#token=of-the-letter`)
  await page.getByRole('button', { name: 'Become billing owner' }).waitFor()
  expect(new URL(page.url()).hash).toBe('')
  expect(await page.evaluate(() => sessionStorage.getItem('turnpike-credential'))).toBe('member.active')
  expect(await accessibilityViolations(page)).toEqual([])
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.locator('html[data-mantine-color-scheme="dark"]').waitFor()
  expect(await accessibilityViolations(page, 'colours')).toEqual([])
  await page.setViewportSize({ width: 320, height: 700 })
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320)
  await page.getByRole('button', { name: 'Become billing owner' }).click()
  await page.getByRole('heading', { level: 1, name: 'You are billing owner now' }).waitFor()
  expect(sent(`POST /owner-transfers/${id}/confirm`)).toEqual([{ token: 'of-the-letter' }])
})

test('a link that was changed is refused with what to do', async () => {
  const page = await world.open('/billing', 'member.active')
  await page.goto(`${new URL(page.url()).origin}/billing/owner-transfers/${fixtureId('transfer', 'one')}#token=forged`)
  await page.getByRole('button', { name: 'Become billing owner' }).click()
  await page.getByText('Sign in as the person that the letter was sent to').waitFor()
})

test('no page broke on these ways', () => {
  expect(world.failures).toEqual([])
})
