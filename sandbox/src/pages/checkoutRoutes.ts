import type { FastifyInstance, FastifyReply } from 'fastify'
import {
  type CheckoutView,
  completeAuthentication,
  followPaymentLink,
  previewCheckout,
  submitCheckout,
  viewAuthentication,
  viewCheckout,
} from '../engine/hosted.ts'
import { clockNow, type World } from '../world.ts'
import { bankPage } from './bankPage.ts'
import { declineErrors, type FieldErrors, type Form, readCard, readEmail } from './cardForm.ts'
import { type Choice, checkoutPage, checkoutTitle } from './checkoutPage.ts'
import { html, safeUrl } from './html.ts'
import { sendMessage, sendNotFound, sendPage } from './layout.ts'
import { pricingOf } from './pricing.ts'

type SessionRequest = { Params: { session: string }; Querystring: Form; Body: Form | null }
type OpenCheckout = Extract<CheckoutView, { state: 'open' }>

export function registerCheckout(app: FastifyInstance, world: World): void {
  app.get<{ Params: { code: string } }>('/b/:code', (request, reply) => {
    const followed = followPaymentLink(world, request.params.code)
    if (followed.kind === 'open') return reply.redirect(followed.url, 303)
    if (followed.kind === 'not_found') return sendNotFound(reply)
    return sendMessage(reply, 200, {
      title: 'This link is no longer active',
      tone: 'warning',
      text: followed.message ?? 'Ask whoever gave it to you for another one.',
    })
  })

  app.get<SessionRequest>('/c/pay/:session', (request, reply) => {
    const found = viewChosen(world, request.params.session, readChoice(request.query))
    return found.view.state === 'open'
      ? showForm(world, reply, 200, {
          ...found,
          view: found.view,
          form: {},
          errors: found.view.lastError ? { cardNumber: found.view.lastError } : {},
        })
      : showClosed(reply, found.view)
  })

  app.post<SessionRequest>('/c/pay/:session', async (request, reply) => {
    const found = viewChosen(world, request.params.session, readChoice(request.query))
    const { view, choice, choiceError } = found
    // The second of two submissions finds the session complete and goes where the first one went.
    if (view.state === 'complete' && view.redirectUrl) return reply.redirect(view.redirectUrl, 303)
    if (view.state !== 'open') return showClosed(reply, view)

    const form = request.body ?? {}
    const email = view.emailEditable ? readEmail(form) : { email: view.email ?? '', error: null }
    const { card, errors: cardErrors } = readCard(form, clockNow(world) * 1000)
    const errors: Record<string, string> = {
      ...(email.error ? { email: email.error } : {}),
      ...(view.cardRequired ? cardErrors : {}),
      ...(view.termsRequired && !form.termsOfServiceConsentCheckbox
        ? { termsOfServiceConsentCheckbox: 'Accept the terms of service to continue.' }
        : {}),
    }
    const open = { ...found, view, form }
    if (Object.keys(errors).length > 0 || choiceError) return showForm(world, reply, 422, { ...open, errors })

    const { name, ...entered } = card
    const result = await submitCheckout(world, view.id, {
      email: email.email,
      name: view.cardRequired ? name : (view.name ?? ''),
      card: view.cardRequired ? entered : null,
      quantities: choice.quantities,
      ...(choice.promotionCode === undefined ? {} : { promotionCode: choice.promotionCode }),
    })
    if (result.kind === 'complete') return reply.redirect(result.redirectUrl, 303)
    if (result.kind === 'requires_action') return reply.redirect(`/3ds/${result.authenticationId}`, 303)
    return showForm(world, reply, 402, { ...open, errors: declineErrors(result) })
  })

  app.get<{ Params: { id: string } }>('/3ds/:id', (request, reply) => {
    const view = viewAuthentication(world, request.params.id)
    if (view.state === 'not_found') return sendNotFound(reply)
    if (view.state === 'done') return reply.redirect(view.redirectUrl, 303)
    return sendPage(reply, 200, { title: `Confirm your payment to ${view.merchantName}`, body: bankPage(view) })
  })

  app.post<{ Params: { id: string }; Body: Form | null }>('/3ds/:id', async (request, reply) => {
    if (viewAuthentication(world, request.params.id).state === 'not_found') return sendNotFound(reply)
    const outcome = request.body?.outcome === 'approve' ? 'approve' : 'fail'
    const { redirectUrl } = await completeAuthentication(world, request.params.id, outcome)
    return reply.redirect(redirectUrl, 303)
  })
}

function readChoice(query: Form): Choice {
  const quantities: Record<string, number> = {}
  for (const [key, value] of Object.entries(query)) {
    const line = /^quantity-(.+)$/.exec(key)?.[1]
    if (line && /^\d{1,9}$/.test(value)) quantities[line] = Number(value)
  }
  const promotionCode = query.promotionCode?.trim()
  return promotionCode ? { quantities, promotionCode } : { quantities }
}

// A code that is not valid is told beside its field, and the amounts stay those without it.
function viewChosen(world: World, session: string, asked: Choice) {
  const view = viewCheckout(world, session)
  const chosen = asked.promotionCode !== undefined || Object.keys(asked.quantities).length > 0
  if (view.state !== 'open' || !chosen) return { view, choice: asked, choiceError: null }
  const limits = new Map(view.lines.map((line) => [line.id, line.adjustableQuantity]))
  const quantities = Object.fromEntries(
    Object.entries(asked.quantities).flatMap(([id, quantity]) => {
      const limit = limits.get(id)
      return limit ? [[id, Math.min(Math.max(quantity, limit.minimum), limit.maximum)]] : []
    }),
  )
  const choice = { ...asked, quantities }
  const preview = previewCheckout(world, session, choice)
  if (preview.state !== 'invalid_promotion_code') return { view: preview, choice, choiceError: null }
  const without = previewCheckout(world, session, { quantities })
  return { view: without.state === 'invalid_promotion_code' ? view : without, choice, choiceError: preview.message }
}

function showForm(
  world: World,
  reply: FastifyReply,
  status: number,
  page: { view: OpenCheckout; form: Form; errors: FieldErrors; choice: Choice; choiceError: string | null },
): FastifyReply {
  const failed = Object.keys(page.errors).length > 0 || page.choiceError !== null
  const title = `${failed ? 'Error: ' : ''}${checkoutTitle(page.view)}`
  return sendPage(reply, status, {
    title,
    body: checkoutPage(page.view, { ...page, pricing: (lineId) => pricingOf(world, lineId) }),
  })
}

function showClosed(reply: FastifyReply, view: Exclude<CheckoutView, { state: 'open' }>): FastifyReply {
  if (view.state === 'not_found') return sendNotFound(reply)
  if (view.state === 'complete')
    return sendMessage(reply, 200, {
      title: 'You are all done here',
      tone: 'ok',
      text: 'This checkout is complete. Opening it again does not charge anything.',
      action:
        view.redirectUrl &&
        html`<p class="actions"><a class="button primary" href="${safeUrl(view.redirectUrl)}">Return to the merchant</a></p>`,
    })
  return sendMessage(reply, 410, {
    title: 'This checkout has expired',
    tone: 'warning',
    text: 'Nothing was charged. Go back and start again to get a new checkout.',
    action:
      view.cancelUrl &&
      html`<p class="actions"><a class="button primary" href="${safeUrl(view.cancelUrl)}">Go back</a></p>`,
  })
}
