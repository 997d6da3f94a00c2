import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { accessibilityViolations } from '@turnpike/local/accessibility'
import { chromiumArguments, findChromium } from '@turnpike/local/chromium'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import Stripe from 'stripe'
import { expect } from 'vitest'
import { startSandbox } from '../../src/index.ts'

export type Shop = Awaited<ReturnType<typeof openShop>>

/** A sandbox with a small catalog, a merchant's site to return to, and a browser. */
export async function openShop() {
  const merchant = createServer((request, response) => {
    response
      .setHeader('content-type', 'text/html')
      .end(`<title>Merchant</title><h1>Merchant</h1><p>${request.method}</p>`)
  })
  await new Promise<void>((resolve) => merchant.listen(0, '127.0.0.1', resolve))
  const site = `http://127.0.0.1:${(merchant.address() as AddressInfo).port}`
  const sandbox = await startSandbox({ port: 0 })
  const { hostname, port } = new URL(sandbox.url)
  const stripe = new Stripe('sk_test_sandbox', {
    host: hostname,
    port,
    protocol: 'http',
    telemetry: false,
    maxNetworkRetries: 0,
  })
  const browser = await chromium.launch({ executablePath: await findChromium(), args: [...chromiumArguments] })

  const plan = async (name: string, unit_amount: number) => {
    const product = await stripe.products.create({ name, description: `Everything in ${name}` })
    const price = await stripe.prices.create({
      product: product.id,
      currency: 'usd',
      unit_amount,
      recurring: { interval: 'month' },
    })
    return { product: product.id, price: price.id }
  }
  const starter = await plan('Starter', 900)
  const team = await plan('Team', 4900)
  const business = await plan('Business', 19900)
  const configuration = await stripe.billingPortal.configurations.create({
    business_profile: {},
    features: {
      customer_update: { enabled: true, allowed_updates: ['email', 'name'] },
      invoice_history: { enabled: true },
      payment_method_update: { enabled: true },
      subscription_cancel: {
        enabled: true,
        mode: 'at_period_end',
        cancellation_reason: { enabled: true, options: ['too_expensive', 'unused', 'other'] },
      },
      subscription_update: {
        enabled: true,
        default_allowed_updates: ['price'],
        proration_behavior: 'always_invoice',
        products: [starter, team, business].map(({ product, price }) => ({ product, prices: [price] })),
      },
    },
  })

  return {
    url: sandbox.url,
    site,
    stripe,
    browser,
    plans: { starter, team, business },
    configuration: configuration.id,
    close: async () => {
      await browser.close()
      await sandbox.close()
      merchant.closeAllConnections()
      await new Promise((resolve) => merchant.close(resolve))
    },
  }
}

/** Runs in a browser window of its own, which must talk to the sandbox and the merchant only. */
export async function inBrowser(
  shop: { browser: Browser; url: string; site: string },
  run: (page: Page) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const context = await shop.browser.newContext(options)
  try {
    context.setDefaultTimeout(15_000)
    const page = await context.newPage()
    const elsewhere: string[] = []
    const complaints: string[] = []
    page.on('request', (request) => {
      const { origin } = new URL(request.url())
      if (origin !== shop.url && origin !== shop.site) elsewhere.push(request.url())
    })
    page.on('console', (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(String(error)))
    await run(page)
    expect(elsewhere).toEqual([])
    expect(complaints).toEqual([])
  } finally {
    await context.close()
  }
}

export async function fillCard(page: Page, number: string): Promise<void> {
  await page.fill('#cardNumber', number)
  await page.fill('#cardExpiry', '12 / 34')
  await page.fill('#cardCvc', '123')
  await page.fill('#billingName', 'Ana Tester')
}

export const submitButton = '[data-testid=hosted-payment-submit-button]'

/** Every rule of WCAG 2.2 AA that can be checked by a machine, in both schemes, and no sideways scrolling on a small phone. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.emulateMedia({ colorScheme: 'light' })
  expect(await accessibilityViolations(page)).toEqual([])
  await page.emulateMedia({ colorScheme: 'dark' })
  expect(await accessibilityViolations(page, 'colours')).toEqual([])
  const size = page.viewportSize()!
  await page.setViewportSize({ width: 320, height: 640 })
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320)
  await page.setViewportSize(size)
}
