import { afterAll, beforeAll, expect, test } from 'vitest'
import { startWorld, type World } from './support/browser.ts'

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
  await card.getByText('16,000 counted. 1,204 records of api calls').waitFor()
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

test('no page broke and every answer fits the contract', () => {
  expect(world.failures).toEqual([])
})
