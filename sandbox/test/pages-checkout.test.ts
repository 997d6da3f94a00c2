import type Stripe from 'stripe'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectAccessible, fillCard, inBrowser, openShop, type Shop, submitButton } from './support/pages.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
}, 60_000)
afterAll(() => shop?.close())

async function checkout(change: Partial<Stripe.Checkout.SessionCreateParams> = {}) {
  return shop.stripe.checkout.sessions.create({
    mode: 'subscription',
    line_items: [{ price: shop.plans.team.price, quantity: 1 }],
    success_url: `${shop.site}/success?session={CHECKOUT_SESSION_ID}`,
    cancel_url: `${shop.site}/cancel`,
    ...change,
  })
}

const sessionOf = (id: string) => shop.stripe.checkout.sessions.retrieve(id)

describe('buying a plan', () => {
  test('a good card ends at the success address with a live subscription', () =>
    inBrowser(shop, async (page) => {
      const { id, url } = await checkout()
      await page.goto(url!)
      expect(await page.textContent('h1')).toBe('Subscribe to Team')
      await page.fill('#email', 'ana@example.com')
      await fillCard(page, '4242 4242 4242 4242')
      await page.click(submitButton)
      await page.waitForURL(`${shop.site}/success?session=${id}`)

      const session = await sessionOf(id)
      expect(session).toMatchObject({ status: 'complete', payment_status: 'paid', amount_total: 4900 })
      expect(session.customer_details?.email).toBe('ana@example.com')
      const subscription = await shop.stripe.subscriptions.retrieve(session.subscription as string)
      expect(subscription.status).toBe('active')
    }))

  test('everything works without JavaScript', () =>
    inBrowser(
      shop,
      async (page) => {
        const { id, url } = await checkout()
        await page.goto(url!)
        expect(await page.locator('[data-fill-card]').first().isVisible()).toBe(false)
        await page.fill('#email', 'ana@example.com')
        await fillCard(page, '4242424242424242')
        await page.click(submitButton)
        await page.waitForURL(`${shop.site}/success?session=${id}`)
      },
      { javaScriptEnabled: false },
    ))

  test('a declined card is told beside the field, what was typed stays, and another card pays', () =>
    inBrowser(shop, async (page) => {
      const { id, url } = await checkout()
      await page.goto(url!)
      await page.fill('#email', 'ana@example.com')
      await fillCard(page, '4000 0000 0000 0002')
      await page.click(submitButton)
      await page.waitForSelector('#cardNumber-error')
      expect(await page.textContent('#cardNumber-error')).toBe('Your card was declined.')
      expect(await page.inputValue('#email')).toBe('ana@example.com')
      expect(await page.inputValue('#cardNumber')).toBe('')
      await page.waitForFunction("document.activeElement.id === 'error-summary'")
      await expectAccessible(page)
      expect((await sessionOf(id)).status).toBe('open')

      await fillCard(page, '4242424242424242')
      await page.click(submitButton)
      await page.waitForURL(`${shop.site}/success?session=${id}`)
    }))

  test('mistakes in the form are listed, linked and told beside each field before anything is charged', () =>
    inBrowser(shop, async (page) => {
      const { id, url } = await checkout()
      await page.goto(url!)
      await page.fill('#email', 'ana@')
      await page.fill('#cardNumber', '4242 4242')
      await page.fill('#cardExpiry', '12 / 20')
      await page.fill('#cardCvc', '1')
      await page.click(submitButton)
      await page.waitForSelector('#error-summary')
      const told = await page.locator('.field-error').allTextContents()
      expect(told).toEqual([
        'Your email is incomplete.',
        'Your card number is incomplete.',
        "Your card's expiration year is in the past.",
        "Your card's security code is incomplete.",
        'Enter the name on the card.',
      ])
      expect(await page.locator('#error-summary a').allTextContents()).toEqual(told)
      await page.click('#error-summary a >> nth=1')
      expect(await page.evaluate('document.activeElement.id')).toBe('cardNumber')
      expect(await page.title()).toMatch(/^Error: /)
      expect((await sessionOf(id)).status).toBe('open')
    }))

  test('the way back leads to the cancel address and leaves the session open', () =>
    inBrowser(shop, async (page) => {
      const { id, url } = await checkout()
      await page.goto(url!)
      await page.click('[data-testid=business-link]')
      await page.waitForURL(`${shop.site}/cancel`)
      expect((await sessionOf(id)).status).toBe('open')
    }))

  test('two submissions at once make one subscription and end at the same address', async () => {
    const { id, url } = await checkout()
    const form = {
      email: 'twice@example.com',
      cardNumber: '4242424242424242',
      cardExpiry: '12/34',
      cardCvc: '123',
      billingName: 'Ana',
    }
    const submit = () => fetch(url!, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' })
    const answers = await Promise.all([submit(), submit()])
    for (const answer of [...answers, await submit()]) {
      expect(answer.status).toBe(303)
      expect(answer.headers.get('location')).toBe(`${shop.site}/success?session=${id}`)
    }
    const { customer } = await sessionOf(id)
    const { data } = await shop.stripe.subscriptions.list({ customer: customer as string, status: 'all' })
    expect(data).toHaveLength(1)
    const { data: charges } = await shop.stripe.charges.list({ customer: customer as string })
    expect(charges).toHaveLength(1)
  })

  test('the email of a known customer cannot be changed', () =>
    inBrowser(shop, async (page) => {
      const customer = await shop.stripe.customers.create({ email: 'known@example.com' })
      const { id, url } = await checkout({ customer: customer.id })
      await page.goto(url!)
      expect(await page.inputValue('#email')).toBe('known@example.com')
      expect(await page.getAttribute('#email', 'readonly')).not.toBeNull()
      await page.evaluate("document.getElementById('email').removeAttribute('readonly')")
      await page.fill('#email', 'other@example.com')
      await fillCard(page, '4242424242424242')
      await page.click(submitButton)
      await page.waitForURL(`${shop.site}/success?session=${id}`)
      expect(await shop.stripe.customers.retrieve(customer.id)).toMatchObject({ email: 'known@example.com' })
    }))

  test('names from the catalog are text, never markup', () =>
    inBrowser(shop, async (page) => {
      const name = `<img src=x onerror="document.title='owned'">`
      const { url } = await checkout({
        mode: 'payment',
        line_items: [{ price_data: { currency: 'usd', unit_amount: 100, product_data: { name } }, quantity: 1 }],
      })
      await page.goto(url!)
      expect(await page.textContent('h1')).toBe(name)
      expect(await page.locator('main img').count()).toBe(0)
    }))

  test('a click on a test card fills in the form', () =>
    inBrowser(shop, async (page) => {
      const { id, url } = await checkout()
      await page.goto(url!)
      await page.click('.test-cards summary')
      await page.click('[data-fill-card="4242 4242 4242 4242"]')
      expect(await page.inputValue('#cardNumber')).toBe('4242 4242 4242 4242')
      expect(await page.inputValue('#cardExpiry')).toBe('12 / 34')
      await page.click(submitButton)
      await page.waitForURL(`${shop.site}/success?session=${id}`)
    }))

  test('digits are grouped while typing', () =>
    inBrowser(shop, async (page) => {
      const { url } = await checkout()
      await page.goto(url!)
      await page.locator('#cardNumber').pressSequentially('378282246310005')
      expect(await page.inputValue('#cardNumber')).toBe('3782 822463 10005')
      await page.locator('#cardExpiry').pressSequentially('434')
      expect(await page.inputValue('#cardExpiry')).toBe('04 / 34')
    }))
})

describe('confirmation by the bank', () => {
  const start = async (page: import('playwright-core').Page) => {
    const session = await checkout()
    await page.goto(session.url!)
    await page.fill('#email', 'ana@example.com')
    await fillCard(page, '4000 0025 0000 3155')
    await page.click(submitButton)
    await page.waitForURL(`${shop.url}/3ds/**`)
    return session
  }

  test('a customer who confirms has paid', () =>
    inBrowser(shop, async (page) => {
      const { id } = await start(page)
      expect(await page.textContent('main')).toContain('$49.00')
      await expectAccessible(page)
      expect((await sessionOf(id)).status).toBe('open')
      await page.click('text=Complete')
      await page.waitForURL(`${shop.site}/success?session=${id}`)
      expect(await sessionOf(id)).toMatchObject({ status: 'complete', payment_status: 'paid' })
    }))

  test('a customer who does not is back at the form and can use another card', () =>
    inBrowser(shop, async (page) => {
      const { id, url } = await start(page)
      await page.click('#test-source-fail-3ds')
      await page.waitForSelector('#error-summary')
      expect(await page.textContent('#error-summary')).toContain('unable to authenticate your payment method')
      await expectAccessible(page)
      expect((await sessionOf(id)).status).toBe('open')
      expect(page.url().split('?')[0]).toBe(url)
      await page.fill('#email', 'ana@example.com')
      await fillCard(page, '4242424242424242')
      await page.click(submitButton)
      await page.waitForURL(`${shop.site}/success?session=${id}`)
    }))
})

describe('other kinds of checkout', () => {
  test('a promotion code and a quantity change the total before paying, a wrong code says so', () =>
    inBrowser(shop, async (page) => {
      const coupon = await shop.stripe.coupons.create({ percent_off: 20, duration: 'once', name: 'Welcome' })
      await shop.stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: coupon.id }, code: 'WELCOME20' })
      const { id, url } = await checkout({
        allow_promotion_codes: true,
        line_items: [
          { price: shop.plans.team.price, quantity: 1, adjustable_quantity: { enabled: true, minimum: 1, maximum: 5 } },
        ],
      })
      await page.goto(url!)
      await page.fill('#promotionCode', 'NOPE')
      await page.click('text=Update total')
      await page.waitForSelector('#promotionCode-error')
      await expectAccessible(page)
      await page.fill('#promotionCode', 'WELCOME20')
      await page.fill('.quantity input', '3')
      await page.click('text=Update total')
      await page.waitForSelector('.grand dd:text-is("$117.60")')
      expect((await sessionOf(id)).amount_total).toBe(4900)
      await page.fill('#email', 'three@example.com')
      await fillCard(page, '4242424242424242')
      await page.click(submitButton)
      await page.waitForURL(`${shop.site}/success?session=${id}`)
      expect(await sessionOf(id)).toMatchObject({ amount_total: 11760, payment_status: 'paid' })
    }))

  test('a trial starts without a charge and says what comes after it', () =>
    inBrowser(shop, async (page) => {
      const { id, url } = await checkout({ subscription_data: { trial_period_days: 14 } })
      await page.goto(url!)
      expect(await page.textContent('.stub')).toContain('14 days free')
      expect(await page.textContent('.stub')).toContain('Then $49.00 per month')
      expect(await page.textContent('.grand')).toContain('$0.00')
      expect(await page.textContent(submitButton)).toBe('Start trial')
      await page.fill('#email', 'trial@example.com')
      await fillCard(page, '4242424242424242')
      await page.click(submitButton)
      await page.waitForURL(`${shop.site}/success?session=${id}`)
      expect((await sessionOf(id)).payment_status).toBe('no_payment_required')
    }))

  test('a trial that needs no card asks for the email only', () =>
    inBrowser(shop, async (page) => {
      const { id, url } = await checkout({
        payment_method_collection: 'if_required',
        subscription_data: {
          trial_period_days: 7,
          trial_settings: { end_behavior: { missing_payment_method: 'cancel' } },
        },
      })
      await page.goto(url!)
      expect(await page.locator('#cardNumber').count()).toBe(0)
      await expectAccessible(page)
      await page.fill('#email', 'free@example.com')
      await page.click(submitButton)
      await page.waitForURL(`${shop.site}/success?session=${id}`)
    }))

  test('terms must be accepted where the merchant asks for it', () =>
    inBrowser(shop, async (page) => {
      const { id, url } = await checkout({ consent_collection: { terms_of_service: 'required' } })
      await page.goto(url!)
      await page.fill('#email', 'terms@example.com')
      await fillCard(page, '4242424242424242')
      await page.click(submitButton)
      await page.waitForSelector('#error-summary')
      expect(await page.textContent('#error-summary')).toContain('Accept the terms of service to continue.')
      await expectAccessible(page)
      expect((await sessionOf(id)).status).toBe('open')
      await page.check('#termsOfServiceConsentCheckbox')
      await fillCard(page, '4242424242424242')
      await page.click(submitButton)
      await page.waitForURL(`${shop.site}/success?session=${id}`)
    }))

  test('a payment names the amount on its button', () =>
    inBrowser(shop, async (page) => {
      const { id, url } = await checkout({
        mode: 'payment',
        line_items: [
          { price_data: { currency: 'jpy', unit_amount: 4187, product_data: { name: 'Credits' } }, quantity: 2 },
        ],
      })
      await page.goto(url!)
      expect(await page.textContent(submitButton)).toBe('Pay ¥8,374')
      await page.fill('#email', 'once@example.com')
      await fillCard(page, '4242424242424242')
      await page.click(submitButton)
      await page.waitForURL(`${shop.site}/success?session=${id}`)
      expect(await sessionOf(id)).toMatchObject({ payment_status: 'paid', amount_total: 8374 })
    }))

  test('a setup saves the card and charges nothing', () =>
    inBrowser(shop, async (page) => {
      const customer = await shop.stripe.customers.create({ email: 'setup@example.com' })
      const { id, url } = await checkout({
        mode: 'setup',
        currency: 'usd',
        customer: customer.id,
        line_items: undefined,
      })
      await page.goto(url!)
      expect(await page.textContent(submitButton)).toBe('Save card')
      await expectAccessible(page)
      await fillCard(page, '4242424242424242')
      await page.click(submitButton)
      await page.waitForURL(`${shop.site}/success?session=${id}`)
      const { data } = await shop.stripe.paymentMethods.list({ customer: customer.id })
      expect(data.map((method) => method.card?.last4)).toEqual(['4242'])
    }))

  test('steps of a usage price are spelled out', () =>
    inBrowser(shop, async (page) => {
      const product = await shop.stripe.products.create({ name: 'Seats', unit_label: 'seat' })
      const price = await shop.stripe.prices.create({
        product: product.id,
        currency: 'usd',
        recurring: { interval: 'month' },
        billing_scheme: 'tiered',
        tiers_mode: 'graduated',
        tiers: [
          { up_to: 5, flat_amount: 2000, unit_amount: 0 },
          { up_to: 'inf', unit_amount_decimal: '250.5' as never },
        ],
      })
      const { url } = await checkout({ line_items: [{ price: price.id, quantity: 7 }] })
      await page.goto(url!)
      expect(await page.textContent('.lines')).toContain('5 seats included for $20.00 per month')
      expect(await page.locator('.tiers tbody tr').allTextContents()).toEqual([
        expect.stringMatching(/First 5 seats\s+\$20\.00 in all/),
        expect.stringMatching(/Over 5 seats\s+\$2\.505 each/),
      ])
      await expectAccessible(page)
    }))

  test('a finished checkout charges nothing again and leads on, an expired one leads back', () =>
    inBrowser(shop, async (page) => {
      const done = await checkout()
      await page.goto(done.url!)
      await page.fill('#email', 'ana@example.com')
      await fillCard(page, '4242424242424242')
      await page.click(submitButton)
      await page.waitForURL(`${shop.site}/success?session=${done.id}`)
      await page.goto(done.url!)
      expect(await page.textContent('h1')).toBe('You are all done here')
      await expectAccessible(page)
      await page.click('main a')
      await page.waitForURL(`${shop.site}/success?session=${done.id}`)

      const gone = await checkout()
      await shop.stripe.checkout.sessions.expire(gone.id)
      await page.goto(gone.url!)
      expect(await page.textContent('h1')).toBe('This checkout has expired')
      await expectAccessible(page)
      await page.click('main a')
      await page.waitForURL(`${shop.site}/cancel`)

      expect((await page.goto(`${shop.url}/c/pay/cs_test_nothing`))?.status()).toBe(404)
      await expectAccessible(page)
    }))
})

test('the page allows nothing inline and nothing from elsewhere', async () => {
  const { url } = await checkout()
  const answer = await fetch(url!)
  const policy = answer.headers.get('content-security-policy')!
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toContain('unsafe')
  const markup = await answer.text()
  expect(markup).not.toMatch(/<style|\sstyle=|\son[a-z]+=|<script>/)
})

test('the open form is accessible', () =>
  inBrowser(shop, async (page) => {
    const { url } = await checkout()
    await page.goto(url!)
    await page.click('.test-cards summary')
    await expectAccessible(page)
  }))
