import { afterAll, beforeAll, expect, test } from 'vitest'
import { startWorld, type World } from './support/browser.ts'
import { acmeId, fixtureId } from './support/fixtures.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(async () => {
  await world.stop()
})

test('the usage page tells what usage costs so far, price by price, with every step (INV-5)', async () => {
  const page = await world.open('/billing/usage', 'owner.active')
  const card = page.getByRole('region', { name: 'Cost so far' })
  await card.getByText('$100.00 USD').waitFor()
  const steps = await card.getByRole('table', { name: 'Calculation of API calls' }).getByRole('row').allInnerTexts()
  expect(steps.map((row) => row.split(/\s*\n?\t\n?\s*/))).toEqual([
    ['Step', 'Quantity', 'Each', 'Amount'],
    ['Units, tier 1', '5,000', '$0.004', '$20.00'],
    ['Units, tier 2', '1,000', '$0.0025', '$2.50'],
  ])
  await card.getByText('16,000 counted. 1,204 records of API calls').waitFor()
  await card.getByText('rounded to $72.83').waitFor()
  await card.getByText('$2.50 USD of earlier periods waits for the next invoice.').waitFor()
})

test.each([
  ['owner.fresh', 'Nothing was used in this period until now.'],
  ['owner.empty', 'Nothing you use is charged'],
])('without cost the card says why: %s', async (who, sentence) => {
  const page = await world.open('/billing/usage', who)
  await page.getByRole('region', { name: 'Cost so far' }).getByText(sentence).waitFor()
})

test('who may not see invoices is told nothing of cost, and it is not asked for', async () => {
  world.asked.length = 0
  const page = await world.open('/billing/usage', 'viewer.active')
  expect(await page.getByRole('region', { name: 'Cost so far' }).count()).toBe(0)
  expect(world.asked.filter((asked) => asked.includes('/usage/cost'))).toEqual([])
})

test('the next invoice tells what is fixed and what may grow, or that none comes (INV-5)', async () => {
  const page = await world.open('/billing/invoices', 'owner.active')
  const card = page.getByRole('region', { name: 'Next invoice' })
  await card.getByText('$160.81 USD').waitFor()
  await card.getByText('Usage may still grow').waitFor()
  const rows = card.getByRole('table', { name: 'Lines of the next invoice' }).getByRole('row')
  expect(await rows.count()).toBe(6)
  expect(await rows.filter({ hasText: 'Used until now' }).count()).toBe(3)

  const none = await world.open('/billing/invoices', 'owner.empty')
  await none.getByRole('region', { name: 'Next invoice' }).getByText('None is to come.').waitFor()
  const silent = await world.open('/billing/invoices', 'owner.unreachable')
  await silent.getByRole('region', { name: 'Next invoice' }).getByRole('alert').waitFor()
})

test('an invoice is explained from its total to lines, steps and records; customers are told how many (INV-5)', async () => {
  const page = await world.open('/billing/invoices/in_paid', 'owner.active')
  const card = page.getByRole('region', { name: 'How this amount came about' })
  await card.getByText('$49.00 USD is the sum of what follows, less $5.00 of discounts.').waitFor()
  expect(await card.getByRole('heading', { level: 3 }).allInnerTexts()).toEqual([
    '1 × Pro (at $49.00 / month)',
    'API calls',
    'API calls',
    'Paid with credit',
    'Part of a period',
    'Given back afterwards by credit note',
  ])
  expect(await card.getByRole('table', { name: 'Calculation of API calls' }).count()).toBe(3)
  await card.getByText('1,204 records of API calls').first().waitFor()
  expect(await card.getByRole('link').count()).toBe(0)
})

test('what nothing explains is shown as an amount, with the reasons', async () => {
  const page = await world.open('/billing/invoices/in_open', 'owner.active')
  const card = page.getByRole('region', { name: 'How this amount came about' })
  await card.getByText('with $1.00 of tax, and of an amount that nothing explains.').waitFor()
  await card.getByText('Unexplained: $1.23 USD').waitFor()
  await card.getByText('1.23 USD of the total is explained by no line, discount or tax.').waitFor()

  const draft = await world.open('/billing/invoices/in_draft', 'owner.active')
  await draft.getByText('It has no lines yet.').waitFor()
})

test('the house goes from a line to the very records, by their own query (INV-5)', async () => {
  const page = await world.open('/operator/invoices/in_paid', 'auditor')
  world.asked.length = 0
  await page.getByRole('link', { name: 'Show the records of API calls' }).first().click()
  const panel = page.getByRole('dialog', { name: 'Usage records' })
  await panel.getByText('Takes back request-812').waitFor()
  expect(page.url()).toContain(`records=${fixtureId('line', 'calls')}`)
  const [asked] = world.asked.filter((each) => each.includes('/usage-records'))
  const query = new URLSearchParams(asked?.split('?')[1])
  expect(Object.fromEntries(query)).toEqual({
    tenantId: 'acme',
    meter: 'api_calls',
    from: expect.stringMatching(/-01T00:00:00/),
    to: expect.stringMatching(/-01T00:00:00/),
  })
  await page.keyboard.press('Escape')
  await panel.waitFor({ state: 'hidden' })
  expect(page.url()).not.toContain('records=')
})

test('usage periods of a customer tell their state, where each line is and why one is kept back (INV-6)', async () => {
  const page = await world.open(`/operator/customers/${acmeId}`, 'operator')
  const card = page.getByRole('region', { name: 'Usage periods' })
  for (const word of ['Running', 'Going on invoices', 'On invoices', 'Nothing due', 'Closed'])
    await card.getByText(word, { exact: true }).first().waitFor()
  await card.getByText('The last attempt failed: The provider did not answer in 10 s.').waitFor()
  await card.getByText('Waits', { exact: true }).waitFor()
  expect(await card.getByRole('link', { name: 'On an invoice' }).getAttribute('href')).toBe(
    '/operator/invoices/in_paid',
  )
})

test.each([
  ['operator', ['1', '3', '12']],
  ['operator.fresh', []],
])('the start page of the house tells how far the close is: %s', async (who, counts) => {
  const page = await world.open('/operator', who)
  const card = page.getByRole('region', { name: 'Close of usage periods' })
  await card.getByText('1,204').waitFor()
  expect(await card.locator('[class*="number"]').allInnerTexts()).toEqual(counts)
  if (counts.length > 0) await card.getByRole('list', { name: 'Failing' }).getByRole('link', { name: 'acme' }).waitFor()
  else await card.getByText('Every period that is over is on invoices.').waitFor()
})

test.each([
  ['operator', ['1 credit note waits', '1 grant of credit waits', '1 refund waits']],
  ['auditor', ['1 credit note waits', '1 refund waits']],
  ['operator.empty', []],
])('the start page of the house counts all that waits for a second person: %s', async (who, kinds) => {
  const page = await world.open('/operator', who)
  const card = page.getByRole('region', { name: 'Approvals' })
  if (kinds.length === 0) return card.getByText('Nothing waits for a second person.').waitFor()
  const told = await card.locator('[class*="line"]').allInnerTexts()
  const others = told.map((text) => text.replaceAll(/\s+/g, ' ').trim()).filter((text) => !text.includes('override'))
  expect(others.toSorted()).toEqual(kinds)
  expect(told.length).toBe(kinds.length + 1)
})

test('no page broke and every answer fits the contract', () => {
  expect(world.failures).toEqual([])
})
