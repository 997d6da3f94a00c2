import type { Page } from 'playwright-core'
import type Stripe from 'stripe'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectAccessible, fillCard, inBrowser, openShop, type Shop, submitButton } from './support/pages.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
}, 60_000)
afterAll(() => shop?.close())

async function subscriber(price = shop.plans.team.price, paymentMethod = 'pm_card_visa', clock?: string) {
  const { stripe } = shop
  const customer = await stripe.customers.create({
    email: 'ana@example.com',
    name: 'Ana',
    ...(clock ? { test_clock: clock } : {}),
  })
  const method = await stripe.paymentMethods.attach(paymentMethod, { customer: customer.id })
  await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: method.id } })
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price }] })
  return { customer: customer.id, subscription: subscription.id }
}

const portal = (
  customer: string,
  flow?: Stripe.BillingPortal.SessionCreateParams.FlowData,
  configuration = shop.configuration,
) =>
  shop.stripe.billingPortal.sessions.create({
    customer,
    configuration,
    return_url: `${shop.site}/account`,
    ...(flow ? { flow_data: flow } : {}),
  })

const subscriptionOf = (id: string) => shop.stripe.subscriptions.retrieve(id)

describe('the portal', () => {
  test('shows the plan, the card and the invoices, and leads back', () =>
    inBrowser(shop, async (page) => {
      const { customer } = await subscriber()
      await page.goto((await portal(customer)).url)
      const text = await page.textContent('main')
      for (const part of ['Team', '$49.00', 'per month', 'Active', 'Renews on', 'ending in 4242', 'Paid'])
        expect(text).toContain(part)
      await expectAccessible(page)
      await page.click('table a')
      expect(await page.textContent('h1')).toMatch(/^Invoice /)
      await page.goBack()
      await page.click('[data-testid=return-to-business-link]')
      await page.waitForURL(`${shop.site}/account`)
    }))

  test('a new card is used from now on; a declined one changes nothing', () =>
    inBrowser(shop, async (page) => {
      const { customer } = await subscriber()
      await page.goto((await portal(customer)).url)
      await page.click('text=Update card')
      await expectAccessible(page)
      await fillCard(page, '4000 0000 0000 0002')
      await page.click(submitButton)
      await page.waitForSelector('#cardNumber-error')
      expect(await page.textContent('#cardNumber-error')).toBe('Your card was declined.')
      await fillCard(page, '5555 5555 5555 4444')
      await page.click(submitButton)
      await page.waitForSelector('.notice.ok')
      expect(await page.textContent('.notice.ok')).toContain('Your card is updated.')
      expect(await page.textContent('main')).toContain('Mastercard ending in 4444')
      const { invoice_settings } = (await shop.stripe.customers.retrieve(customer)) as Stripe.Customer
      const method = await shop.stripe.paymentMethods.retrieve(invoice_settings.default_payment_method as string)
      expect(method.card?.last4).toBe('4444')
    }))

  test('the review of an upgrade shows the amount that the invoice then has', () =>
    inBrowser(shop, async (page) => {
      // The clock of this customer stands still, so that not even a second passes between review and confirmation.
      const start = Date.UTC(2027, 3, 1) / 1000
      const clock = await shop.stripe.testHelpers.testClocks.create({ frozen_time: start })
      const { customer, subscription } = await subscriber(shop.plans.team.price, 'pm_card_visa', clock.id)
      await shop.stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: start + 10 * 86_400 })
      await page.goto((await portal(customer)).url)
      await page.click('text=Change plan')
      await expectAccessible(page)
      await page.check(`#plan-${shop.plans.business.price}`)
      await page.click('text=Review change')
      await expectAccessible(page)
      // 20 of 30 days are left: two thirds of 199.00 less two thirds of 49.00, each rounded.
      expect(await page.textContent('[data-testid=due-now]')).toBe('$100.00')
      expect(await page.locator('table .figure').allTextContents()).toEqual(['-$32.67', '$132.67', '$100.00'])
      expect(await page.textContent('[data-testid=next-invoice]')).toBe('$199.00')
      // The plan of 1 April 2027 renews on 1 May, not on the day after the next renewal.
      expect(await page.textContent('dt:has(+ [data-testid=next-invoice])')).toBe('Next invoice, May 1, 2027')
      await page.click('text=Confirm and pay $100.00')
      await page.waitForSelector('.notice.ok')

      const changed = await subscriptionOf(subscription)
      expect(changed.items.data[0]?.price.id).toBe(shop.plans.business.price)
      const invoice = await shop.stripe.invoices.retrieve(changed.latest_invoice as string)
      expect(invoice).toMatchObject({ status: 'paid', billing_reason: 'subscription_update', total: 10000 })
      expect(await page.textContent('main')).toContain('$199.00')
    }))

  test('a downgrade that waits for the end of the period is shown and can be taken back', () =>
    inBrowser(shop, async (page) => {
      const { customer, subscription } = await subscriber(shop.plans.business.price)
      const waiting = await shop.stripe.billingPortal.configurations.create({
        features: {
          subscription_update: {
            enabled: true,
            default_allowed_updates: ['price'],
            products: Object.values(shop.plans).map(({ product, price }) => ({ product, prices: [price] })),
            schedule_at_period_end: { conditions: [{ type: 'decreasing_item_amount' }] },
          },
        },
      })
      const { url } = await portal(customer, undefined, waiting.id)
      await page.goto(url)
      await page.click('text=Change plan')
      await page.check(`#plan-${shop.plans.starter.price}`)
      await page.click('text=Review change')
      expect(await page.textContent('[data-testid=due-now]')).toBe('$0.00')
      expect(await page.textContent('[data-testid=next-invoice]')).toBe('$9.00')
      await page.click('button:has-text("Change to Starter on")')
      await page.waitForSelector('text=Changes to Starter')
      await expectAccessible(page)
      expect((await subscriptionOf(subscription)).items.data[0]?.price.id).toBe(shop.plans.business.price)

      await page.click('text=Change plan')
      await page.check(`#plan-${shop.plans.business.price}`)
      await page.click('text=Review change')
      await page.click('text=Change to Business now')
      await page.waitForSelector('.notice.ok')
      expect(await page.textContent('main')).not.toContain('Changes to Starter')
    }))

  test('a change whose payment is declined changes nothing and says so', () =>
    inBrowser(shop, async (page) => {
      const { customer, subscription } = await subscriber()
      const method = await shop.stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer })
      await shop.stripe.customers.update(customer, { invoice_settings: { default_payment_method: method.id } })
      const { url } = await portal(customer)
      await page.goto(`${url}/subscriptions/${subscription}/review?price=${shop.plans.business.price}`)
      await page.click('text=Confirm and pay')
      await page.waitForSelector('[role=alert]')
      expect(await page.textContent('[role=alert]')).toContain('Your card was declined.')
      await expectAccessible(page)
      expect((await subscriptionOf(subscription)).items.data[0]?.price.id).toBe(shop.plans.team.price)
    }))

  test('a card that its bank asks about is saved once the customer confirmed', () =>
    inBrowser(shop, async (page) => {
      const { customer } = await subscriber()
      const { url } = await portal(customer)
      const enterCard = async () => {
        await page.goto(`${url}/payment-method`)
        await fillCard(page, '4000 0025 0000 3155')
        await page.click(submitButton)
        await page.waitForURL(`${shop.url}/3ds/**`)
      }
      await enterCard()
      await page.click('#test-source-fail-3ds')
      await page.waitForURL(`${url}**`)
      expect(await page.textContent('main')).not.toContain('ending in 3155')
      await enterCard()
      await page.click('#test-source-authorize-3ds')
      await page.waitForURL(`${url}**`)
      expect(await page.textContent('main')).toContain('ending in 3155')
    }))

  test('nobody is charged more than what was shown', () =>
    inBrowser(shop, async (page) => {
      const { customer, subscription } = await subscriber()
      const { url } = await portal(customer)
      await page.goto(`${url}/subscriptions/${subscription}/review?price=${shop.plans.business.price}`)
      await page.evaluate("document.querySelector('[name=shown]').value = '1'")
      await page.click('text=Confirm and pay')
      await page.waitForSelector('[role=alert]')
      expect(await page.textContent('[role=alert]')).toContain('The amounts changed')
      expect((await subscriptionOf(subscription)).items.data[0]?.price.id).toBe(shop.plans.team.price)
    }))

  test('a plan is canceled for the end of the period and kept again', () =>
    inBrowser(shop, async (page) => {
      const { customer, subscription } = await subscriber()
      await page.goto((await portal(customer)).url)
      await page.click('text=Cancel plan')
      await expectAccessible(page)
      await page.selectOption('#reason', 'unused')
      await page.click('button.danger')
      await page.waitForSelector('.notice.ok')
      expect(await page.textContent('main')).toContain('It will not renew.')
      const ending = await subscriptionOf(subscription)
      expect(ending.status).toBe('active')
      expect(ending.cancel_at).toBe(ending.items.data[0]?.current_period_end)
      expect(ending.cancellation_details?.feedback).toBe('unused')

      await page.click('text=Keep plan')
      await page.waitForSelector('text=Your plan will renew again.')
      const kept = await subscriptionOf(subscription)
      expect(kept.cancel_at).toBeNull()
      expect(kept.cancel_at_period_end).toBe(false)
    }))

  test('billing details are changed', () =>
    inBrowser(shop, async (page) => {
      const { customer } = await subscriber()
      await page.goto((await portal(customer)).url)
      await page.click('text=Update details')
      await page.fill('#email', 'nowhere')
      await page.click('text=Save details')
      await page.waitForSelector('#email-error')
      await expectAccessible(page)
      await page.fill('#email', 'new@example.com')
      await page.click('text=Save details')
      await page.waitForSelector('.notice.ok')
      expect(await shop.stripe.customers.retrieve(customer)).toMatchObject({ email: 'new@example.com' })
    }))

  test('another customer cannot be reached through a session', () =>
    inBrowser(shop, async (page) => {
      const ana = await subscriber()
      const bob = await subscriber()
      const { url } = await portal(ana.customer)
      for (const step of ['plan', 'review', 'cancel'])
        expect((await page.goto(`${url}/subscriptions/${bob.subscription}/${step}`))?.status()).toBe(404)
      const answer = await fetch(`${url}/subscriptions/${bob.subscription}/cancel`, { method: 'POST' })
      expect(answer.status).toBe(404)
      expect((await subscriptionOf(bob.subscription)).cancel_at).toBeNull()
      expect((await page.goto(`${shop.url}/p/session/nothing`))?.status()).toBe(404)
    }))
})

describe('deep links', () => {
  const after = () => ({ type: 'redirect' as const, redirect: { return_url: `${shop.site}/after` } })

  async function open(page: Page, customer: string, flow: Stripe.BillingPortal.SessionCreateParams.FlowData) {
    await page.goto((await portal(customer, { ...flow, after_completion: after() })).url)
  }

  test('to a new card', () =>
    inBrowser(shop, async (page) => {
      const { customer } = await subscriber()
      await open(page, customer, { type: 'payment_method_update' })
      await fillCard(page, '5555 5555 5555 4444')
      await page.click(submitButton)
      await page.waitForURL(`${shop.site}/after`)
    }))

  test('to a new card that its bank refuses do not lead on; once it approves they do, and the plan follows the card', () =>
    inBrowser(shop, async (page) => {
      const { customer, subscription } = await subscriber()
      const own = await shop.stripe.paymentMethods.attach('pm_card_visa', { customer })
      await shop.stripe.subscriptions.update(subscription, { default_payment_method: own.id })
      const enterCard = async () => {
        await open(page, customer, { type: 'payment_method_update' })
        await fillCard(page, '4000 0025 0000 3155')
        await page.click(submitButton)
        await page.waitForURL(`${shop.url}/3ds/**`)
      }
      await enterCard()
      await page.click('#test-source-fail-3ds')
      await page.waitForURL(`${shop.url}/p/session/**`)
      expect((await subscriptionOf(subscription)).default_payment_method).toBe(own.id)
      await enterCard()
      await page.click('#test-source-authorize-3ds')
      await page.waitForURL(`${shop.site}/after`)
      const paying = (await subscriptionOf(subscription)).default_payment_method as string
      expect((await shop.stripe.paymentMethods.retrieve(paying)).card?.last4).toBe('3155')
    }))

  test('to the end of a plan', () =>
    inBrowser(shop, async (page) => {
      const { customer, subscription } = await subscriber()
      await open(page, customer, { type: 'subscription_cancel', subscription_cancel: { subscription } })
      await page.click('button.danger')
      await page.waitForURL(`${shop.site}/after`)
      expect((await subscriptionOf(subscription)).cancel_at).not.toBeNull()
    }))

  test('without an address for afterwards end at the home of the portal, and lead there again when followed twice', () =>
    inBrowser(shop, async (page) => {
      const { customer, subscription } = await subscriber()
      const { url } = await portal(customer, { type: 'subscription_cancel', subscription_cancel: { subscription } })
      await page.goto(url)
      await page.click('button.danger')
      await page.waitForSelector('text=Your plan is canceled.')
      await page.goto(url)
      expect(await page.textContent('.notice')).toContain('There was nothing to change.')
      expect(await page.textContent('main')).toContain('It will not renew.')
    }))

  test('to a change of plan', () =>
    inBrowser(shop, async (page) => {
      const { customer, subscription } = await subscriber()
      await open(page, customer, { type: 'subscription_update', subscription_update: { subscription } })
      await page.check(`#plan-${shop.plans.business.price}`)
      await page.click('text=Review change')
      await page.click('text=Confirm and pay')
      await page.waitForURL(`${shop.site}/after`)
      expect((await subscriptionOf(subscription)).items.data[0]?.price.id).toBe(shop.plans.business.price)
    }))

  test('to the confirmation of one change', () =>
    inBrowser(shop, async (page) => {
      const { customer, subscription } = await subscriber()
      const [item] = (await subscriptionOf(subscription)).items.data
      await open(page, customer, {
        type: 'subscription_update_confirm',
        subscription_update_confirm: {
          subscription,
          items: [{ id: item!.id, price: shop.plans.business.price, quantity: 1 }],
        },
      })
      expect(await page.textContent('h1')).toBe('Review your change')
      await page.click('text=Confirm and pay')
      await page.waitForURL(`${shop.site}/after`)
      expect((await subscriptionOf(subscription)).items.data[0]?.price.id).toBe(shop.plans.business.price)
    }))
})

test('a session works for an hour', () =>
  inBrowser(shop, async (page) => {
    const { customer } = await subscriber()
    const { url } = await portal(customer)
    expect((await page.goto(url))?.status()).toBe(200)
    await fetch(`${shop.url}/sandbox/clock/advance`, { method: 'POST', body: JSON.stringify({ seconds: 3601 }) })
    expect((await page.goto(url))?.status()).toBe(410)
    expect(await page.textContent('h1')).toBe('This link has expired')
    await expectAccessible(page)
    expect((await fetch(`${url}/payment-method`, { method: 'POST' })).status).toBe(410)
  }))

describe('the hosted invoice', () => {
  async function openInvoice(customer: string) {
    const { stripe } = shop
    const draft = await stripe.invoices.create({ customer, auto_advance: false })
    await stripe.invoiceItems.create({
      customer,
      invoice: draft.id,
      amount: 1234,
      currency: 'usd',
      description: 'Training',
    })
    return stripe.invoices.finalizeInvoice(draft.id!)
  }

  test('is paid with another card after a decline, once', () =>
    inBrowser(shop, async (page) => {
      const customer = await shop.stripe.customers.create({ email: 'ana@example.com', name: 'Ana' })
      const invoice = await openInvoice(customer.id)
      await page.goto(invoice.hosted_invoice_url!)
      expect(await page.textContent('main')).toContain('Training')
      expect(await page.textContent(submitButton)).toBe('Pay $12.34')
      await expectAccessible(page)
      await fillCard(page, '4000 0000 0000 9995')
      await page.click(submitButton)
      await page.waitForSelector('#cardNumber-error')
      expect(await page.textContent('#cardNumber-error')).toBe('Your card has insufficient funds.')
      await fillCard(page, '4242424242424242')
      await page.click(submitButton)
      await page.waitForSelector('.tag.ok')
      expect(await page.locator(submitButton).count()).toBe(0)
      await expectAccessible(page)
      expect(await shop.stripe.invoices.retrieve(invoice.id!)).toMatchObject({ status: 'paid', amount_paid: 1234 })
    }))

  test('asks the bank and is paid after its confirmation only', () =>
    inBrowser(shop, async (page) => {
      const customer = await shop.stripe.customers.create({ email: 'ana@example.com', name: 'Ana' })
      const invoice = await openInvoice(customer.id)
      const pay = async (button: string) => {
        await page.goto(invoice.hosted_invoice_url!)
        await fillCard(page, '4000 0027 6000 3184')
        await page.click(submitButton)
        await page.waitForURL(`${shop.url}/3ds/**`)
        await page.click(button)
        await page.waitForURL(invoice.hosted_invoice_url!)
      }
      await pay('#test-source-fail-3ds')
      expect(await page.textContent('.notice')).toContain('Your bank did not confirm the last attempt.')
      await pay('#test-source-authorize-3ds')
      expect(await page.textContent('.tag')).toBe('Paid')
    }))

  test('is paid with the saved card, and its file can be fetched', () =>
    inBrowser(shop, async (page) => {
      const { customer } = await subscriber()
      const invoice = await openInvoice(customer)
      await page.goto(invoice.hosted_invoice_url!)
      await page.click('[data-testid=pay-with-saved-card]')
      await page.waitForSelector('.tag.ok')
      const href = await page.getAttribute('text=Download PDF', 'href')
      const file = await fetch(new URL(href!, shop.url))
      expect(file.headers.get('content-type')).toBe('application/pdf')
      expect(Buffer.from(await file.arrayBuffer()).toString('latin1')).toMatch(/^%PDF-1\.4[\s\S]*%%EOF\n$/)
    }))
})

test('the home page tells the clock, events and deliveries', () =>
  inBrowser(shop, async (page) => {
    await subscriber()
    await page.goto(shop.url)
    const text = await page.textContent('main')
    for (const part of ['Turnpike sandbox', 'UTC', shop.url, 'invoice.paid']) expect(text).toContain(part)
    await expectAccessible(page)
  }))

test('on the home page time passes by a button: to the end of the next renewal, or by a month', () =>
  inBrowser(shop, async (page) => {
    const { customer } = await subscriber()
    await page.goto(shop.url)
    const before = (await shop.stripe.invoices.list({ customer })).data.length
    await page.getByRole('button', { name: 'Past the next renewal' }).click()
    await page.getByText('ahead of real time').waitFor()
    const clock = async () => Date.parse((await page.locator('dd time').getAttribute('datetime'))!)
    const at = await clock()
    await page.getByRole('button', { name: 'One month' }).click()
    await page.waitForFunction(
      (then) => Date.parse(document.querySelector('dd time')!.getAttribute('datetime')!) > then,
      at + 27 * 86_400_000,
    )
    const { data } = await shop.stripe.invoices.list({ customer })
    expect(data.length).toBeGreaterThan(before)
    expect(data.at(-2)).toMatchObject({ billing_reason: 'subscription_cycle', status: 'paid' })
    expect(
      (await fetch(`${shop.url}/clock`, { method: 'POST', body: new URLSearchParams({ lever: 'constructor' }) }))
        .status,
    ).toBe(404)
  }))

test('a renewal whose invoice is a draft is the next one to get past', () =>
  inBrowser(shop, async (page) => {
    const { customer, subscription } = await subscriber()
    const [item] = (await shop.stripe.subscriptions.retrieve(subscription)).items.data
    const advance = { method: 'POST', body: JSON.stringify({ to: item!.current_period_end + 60 }) }
    await fetch(`${shop.url}/sandbox/clock/advance`, advance)
    const states = async () =>
      (await shop.stripe.invoices.list({ customer })).data.map(
        ({ billing_reason: reason, status }) => `${reason} ${status}`,
      )
    expect(await states()).toEqual(['subscription_cycle draft', 'subscription_create paid'])
    // Others of this shop renew at other times; a few presses come to this one.
    for (let presses = 0; presses < 20 && (await states())[0]!.endsWith('draft'); presses++) {
      await page.goto(shop.url)
      await page.getByRole('button', { name: 'Past the next renewal' }).click()
      await page.waitForLoadState('load')
    }
    expect(await states()).toEqual(['subscription_cycle paid', 'subscription_create paid'])
    const { now } = (await (await fetch(`${shop.url}/sandbox/clock`)).json()) as { now: number }
    expect(now).toBeLessThan(item!.current_period_end + 2 * 3600)
  }))
