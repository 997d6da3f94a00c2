import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@turnpike/client'
import { openReplica } from '@turnpike/client/gateway'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chromiumArguments, findChromium } from '../src/chromium.ts'
import type { Demonstration } from '../src/demonstration.ts'
import { end, npmStart, type Running, untilRunning } from './npm-start.ts'
import { until } from './until.ts'

let folder: string
let running: Running
let demo: Demonstration
let browser: Browser

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'turnpike-journey-'))
  running = npmStart(join(folder, 'data'))
  demo = await untilRunning(running)
  browser = await chromium.launch({ executablePath: await findChromium(), args: [...chromiumArguments] })
}, 300_000)
afterAll(async () => {
  await browser?.close()
  await end(running.child, 'SIGTERM')
  rmSync(folder, { recursive: true, force: true })
})

test('the README’s five minutes: a stranger buys Pro, meets the limit, upgrades, lets a month pass, finds the usage explained on the invoice, and the gateway and the operator have followed', {
  timeout: 120_000,
}, async () => {
  const service = createClient({ baseUrl: demo.apiUrl, credential: demo.serviceKey })
  const { tenantId } = demo
  const replica = await openReplica({
    file: join(folder, 'replica.db'),
    client: createClient({ baseUrl: demo.apiUrl, credential: demo.gatewayKey }),
  })
  try {
    expect((await service.check({ body: { tenantId, feature: 'sso' } })).data.allowed).toBe(false)
    expect(replica.budget.check(tenantId)).toMatchObject({ totalBudget: 1_000, currentSpend: 0 })

    const page = await browser.newPage()
    const failures: string[] = []
    page.on('pageerror', (error) => failures.push(error.message))
    await page.goto(`${demo.consoleUrl}#token=${demo.ownerToken}`)
    await page.getByRole('link', { name: 'Plans' }).first().click()
    await page.getByRole('button', { name: 'Choose Pro' }).click()
    await page.waitForURL(/\/c\/pay\//)
    await page.getByLabel('Card number').fill('4242 4242 4242 4242')
    await page.getByLabel(/Expiration/).fill('12 / 34')
    await page.getByLabel('CVC').fill('123')
    await page.getByRole('button', { name: 'Subscribe' }).click()
    await page.getByRole('heading', { name: /Pro/ }).waitFor()
    expect(new URL(page.url()).pathname).toBe('/billing/return')

    await until(async () => (await service.getStatus({ query: { tenantId } })).data.status === 'active')
    expect((await service.check({ body: { tenantId, feature: 'sso' } })).data.allowed).toBe(true)

    const records = Array.from({ length: 1_000 }, (_, index) => ({
      tenantId,
      meter: 'api_calls',
      idempotencyKey: `journey-${index}`,
    }))
    const counts = []
    for (let times = 0; times < 3; times++)
      counts.push((await service.reportUsage({ body: { records } })).data.accepted)
    expect(counts).toEqual([1_000, 0, 0])
    const big = await service.reportUsage({
      body: { tenantId, meter: 'api_calls', quantity: 19_001, idempotencyKey: 'journey-too-much' },
    })
    expect(big.data).toMatchObject({
      allowed: false,
      outcomes: [{ code: 'limit_reached', used: 1_000, limit: 20_000 }],
    })

    const { data: status } = await service.getStatus({ query: { tenantId } })
    await until(() => {
      const { totalBudget, currentSpend, periodEnd } = replica.budget.check(tenantId)
      return totalBudget === 20_000 && currentSpend === 1_000 && periodEnd === status.period?.end
    })
    expect(replica.route({ id: 'r1', tier: 'premium' }, tenantId)).not.toBeNull()

    // 2,500 above what Pro includes.
    await service.reportUsage({ body: { tenantId, meter: 'api_calls', quantity: 11_500, idempotencyKey: 'night-job' } })

    await page.goto(`${demo.apiUrl}/billing/plans`)
    await page.getByRole('link', { name: 'Upgrade to Scale' }).click()
    // The exact amount stands on the button, as the provider computed it a moment ago.
    await page.getByRole('button', { name: /^Pay \$[\d.,]+ USD and switch to Scale$/ }).click()
    await page.getByRole('heading', { level: 1, name: 'You are on Scale' }).waitFor()
    await until(async () => (await service.getStatus({ query: { tenantId } })).data.plan.plan === 'scale')
    await until(() => replica.budget.check(tenantId).totalBudget !== 20_000)

    // A month passes at the provider, by a button; the service has passed it too when the page is there again.
    await page.goto(demo.sandboxUrl!)
    await page.getByRole('button', { name: 'Past the next renewal' }).click()
    await page.getByText('ahead of real time').waitFor()
    const { data: renewed } = await service.getStatus({ query: { tenantId } })
    expect(renewed.period?.start).toBe(status.period?.end)
    const owner = createClient({ baseUrl: demo.apiUrl, credential: demo.ownerToken })
    const { data: invoices } = await owner.listInvoices({ query: {} })
    const { data: explained } = await owner.explainInvoice({ params: { invoiceId: invoices[0]!.id } })
    expect(explained).toMatchObject({ status: 'paid', unexplained: { amountMinor: '0' } })
    const used = explained.lines.filter(({ as }) => as === 'usage')
    expect(used.map(({ amount }) => amount.amountMinor)).toEqual(['1000'])
    expect(used[0]!.usage).toMatchObject({ quantity: '12500', records: { records: 1_001 } })
    await page.goto(`${demo.apiUrl}/billing/invoices`)
    await page.getByRole('link', { name: invoices[0]!.number! }).first().click()
    await page.getByRole('heading', { name: 'How this amount came about' }).waitFor()
    await page.getByText('Units, tier 1').waitFor()

    const operator = await browser.newPage()
    operator.on('pageerror', (error) => failures.push(error.message))
    await operator.goto(`${demo.consoleUrl}#token=${demo.operatorKey}`)
    await operator.getByRole('link', { name: 'Customers' }).first().click()
    await operator
      .getByRole('link', { name: /Northwind/ })
      .first()
      .click()
    await operator.getByText(/Refused 19,001 of api_calls/).waitFor()
    await operator
      .getByText(/customer\.subscription\.\w+ came in|invoice\.\w+ came in|checkout\.session\.\w+ came in/)
      .first()
      .waitFor()
    expect(failures).toEqual([])
    expect(replica.status().gaps.detected).toBe(0)
  } finally {
    await replica.close()
  }
})
