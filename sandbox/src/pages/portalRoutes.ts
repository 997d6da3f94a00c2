import type { FastifyInstance, FastifyReply } from 'fastify'
import {
  type PortalResult,
  type PortalSubscription,
  portalCancel,
  portalChangePlan,
  portalPreviewChange,
  portalUndoCancel,
  portalUpdateCard,
  portalUpdateCustomer,
  viewPortal,
} from '../engine/hosted.ts'
import { clockNow, type World } from '../world.ts'
import { declineErrors, type FieldErrors, type Form, readCard, readEmail } from './cardForm.ts'
import { money } from './format.ts'
import { type Content, html, safeUrl } from './html.ts'
import { sendMessage, sendNotFound, sendPage } from './layout.ts'
import { type OpenPortal, type Place, portalHome } from './portalPage.ts'
import { cancelStep, cardStep, customerStep, planStep, reviewStep } from './portalSteps.ts'
import { pricingOf } from './pricing.ts'

type PortalRequest = { Params: { token: string }; Querystring: Form; Body: Form | null }
type SubscriptionRequest = { Params: { token: string; subscription: string }; Querystring: Form; Body: Form | null }

// The address names only which sentence to show, so nobody can put words into the page.
const notices: Readonly<Record<string, string>> = {
  card: 'Your card is updated.',
  customer: 'Your billing details are updated.',
  plan: 'Your plan is changed.',
  cancel: 'Your plan is canceled.',
  keep: 'Your plan will renew again.',
  nothing: 'There was nothing to change.',
}

export function registerPortal(app: FastifyInstance, world: World): void {
  const root = '/p/session/:token'
  const subscriptionRoot = `${root}/subscriptions/:subscription`

  // Every page starts here: an expired or unknown session gets its own answer before anything else happens.
  const enter = (reply: FastifyReply, token: string): Place | null => {
    const view = viewPortal(world, token)
    if (view.state === 'open')
      return { view, base: `/p/session/${encodeURIComponent(token)}`, pricing: (priceId) => pricingOf(world, priceId) }
    if (view.state === 'not_found') sendNotFound(reply)
    else
      sendMessage(reply, 410, {
        title: 'This link has expired',
        tone: 'warning',
        text: 'Billing links work for a short time only. Go back to the product and open billing again.',
      })
    return null
  }

  const enterSubscription = (reply: FastifyReply, params: SubscriptionRequest['Params'], can: keyof Abilities) => {
    const place = enter(reply, params.token)
    if (!place) return null
    const subscription = place.view.subscriptions.find(({ id }) => id === params.subscription)
    if (!subscription) {
      sendNotFound(reply)
      return null
    }
    if (!subscription[can]) {
      reply.redirect(`${place.base}?done=nothing`, 303)
      return null
    }
    return { place, subscription }
  }

  app.get<PortalRequest>(root, (request, reply) => {
    const place = enter(reply, request.params.token)
    if (!place) return reply
    const notice = notices[request.query.done ?? '']
    // A finished deep link without an address of its own goes on to the portal's home.
    const step = notice ? null : flowStep(place)
    if (step) return reply.redirect(step, 303)
    return show(reply, 200, place.view, 'Billing', portalHome(place, notice ?? null))
  })

  app.get<PortalRequest>(`${root}/payment-method`, (request, reply) => {
    const place = enter(reply, request.params.token)
    return place ? show(reply, 200, place.view, 'Card', cardStep(place, {}, {})) : reply
  })

  app.post<PortalRequest>(`${root}/payment-method`, async (request, reply) => {
    const place = enter(reply, request.params.token)
    if (!place) return reply
    const form = request.body ?? {}
    const again = (status: number, errors: FieldErrors) =>
      show(reply, status, place.view, 'Error: Card', cardStep(place, form, errors))
    const { card, errors } = readCard(form, clockNow(world) * 1000)
    if (Object.keys(errors).length > 0) return again(422, errors)
    const { name: _name, ...entered } = card
    const result = await portalUpdateCard(world, request.params.token, entered)
    return result.kind === 'declined' ? again(402, declineErrors(result)) : finish(reply, place, result, 'card')
  })

  app.get<PortalRequest>(`${root}/customer`, (request, reply) => {
    const place = enter(reply, request.params.token)
    return place ? show(reply, 200, place.view, 'Billing details', customerStep(place, {}, {})) : reply
  })

  app.post<PortalRequest>(`${root}/customer`, async (request, reply) => {
    const place = enter(reply, request.params.token)
    if (!place) return reply
    const form = request.body ?? {}
    const { email, error } = readEmail(form)
    const name = (form.name ?? '').trim()
    const errors = { ...(name === '' ? { name: 'Enter a name.' } : {}), ...(error ? { email: error } : {}) }
    if (Object.keys(errors).length > 0)
      return show(reply, 422, place.view, 'Error: Billing details', customerStep(place, form, errors))
    return finish(reply, place, await portalUpdateCustomer(world, request.params.token, { email, name }), 'customer')
  })

  app.get<SubscriptionRequest>(`${subscriptionRoot}/plan`, (request, reply) => {
    const found = enterSubscription(reply, request.params, 'canChangePlan')
    if (!found) return reply
    return show(reply, 200, found.place.view, 'Change plan', planStep(found.place, found.subscription))
  })

  app.get<SubscriptionRequest>(`${subscriptionRoot}/review`, (request, reply) => {
    const found = enterSubscription(reply, request.params, 'canChangePlan')
    if (!found) return reply
    const change = readChange(found.subscription, request.query)
    if (!change) return reply.redirect(`${found.place.base}/subscriptions/${found.subscription.id}/plan`, 303)
    const preview = portalPreviewChange(world, request.params.token, change)
    return show(reply, 200, found.place.view, 'Review your change', reviewStep(found.place, preview, null))
  })

  app.post<SubscriptionRequest>(`${subscriptionRoot}/review`, async (request, reply) => {
    const found = enterSubscription(reply, request.params, 'canChangePlan')
    if (!found) return reply
    const { place, subscription } = found
    const form = request.body ?? {}
    const change = readChange(subscription, form)
    if (!change) return reply.redirect(`${place.base}/subscriptions/${subscription.id}/plan`, 303)
    const preview = portalPreviewChange(world, request.params.token, change)
    const again = (status: number, problem: string) =>
      show(reply, status, place.view, 'Error: Review your change', reviewStep(place, preview, problem))
    // Less than shown may be charged as the period runs down, never more and never at another time.
    if (!/^\d+$/.test(form.shown ?? '') || preview.dueNow > Number(form.shown) || preview.when !== form.when)
      return again(
        409,
        `The amounts changed since you saw them: ${money(preview.dueNow, preview.currency)} would now be due. Please review them again.`,
      )
    const result = await portalChangePlan(world, request.params.token, change)
    return result.kind === 'declined' ? again(402, result.message) : finish(reply, place, result, 'plan')
  })

  app.get<SubscriptionRequest>(`${subscriptionRoot}/cancel`, (request, reply) => {
    const found = enterSubscription(reply, request.params, 'canCancel')
    if (!found) return reply
    return show(reply, 200, found.place.view, 'Cancel your plan', cancelStep(found.place, found.subscription))
  })

  app.post<SubscriptionRequest>(`${subscriptionRoot}/cancel`, async (request, reply) => {
    const found = enterSubscription(reply, request.params, 'canCancel')
    if (!found) return reply
    const { reason, comment } = request.body ?? {}
    const input = {
      subscriptionId: found.subscription.id,
      ...(reason ? { reason } : {}),
      ...(comment ? { comment } : {}),
    }
    return finish(reply, found.place, await portalCancel(world, request.params.token, input), 'cancel')
  })

  app.post<SubscriptionRequest>(`${subscriptionRoot}/undo-cancel`, async (request, reply) => {
    const found = enterSubscription(reply, request.params, 'canUndoCancel')
    if (!found) return reply
    const input = { subscriptionId: found.subscription.id }
    return finish(reply, found.place, await portalUndoCancel(world, request.params.token, input), 'keep')
  })
}

type Abilities = Pick<PortalSubscription, 'canCancel' | 'canUndoCancel' | 'canChangePlan'>

// A deep link leads to one step only.
function flowStep({ view, base }: Place): string | null {
  const { flow } = view
  if (!flow) return null
  if (flow.type === 'payment_method_update') return `${base}/payment-method`
  if (flow.type === 'customer_update') return `${base}/customer`
  const path = `${base}/subscriptions/${encodeURIComponent(flow.subscriptionId)}`
  if (flow.type === 'subscription_cancel') return `${path}/cancel`
  if (flow.type === 'subscription_update') return `${path}/plan`
  return `${path}/review?price=${encodeURIComponent(flow.preview.priceId)}&quantity=${flow.preview.quantity}`
}

function readChange(subscription: PortalSubscription, form: Form) {
  if (!form.price) return null
  const change = { subscriptionId: subscription.id, priceId: form.price }
  return /^\d{1,9}$/.test(form.quantity ?? '') ? { ...change, quantity: Number(form.quantity) } : change
}

function finish(reply: FastifyReply, place: Place, result: PortalResult, notice: string): FastifyReply {
  if (result.kind === 'requires_action') return reply.redirect(`/3ds/${result.authenticationId}`, 303)
  if (result.kind === 'declined')
    return sendMessage(reply, 402, {
      title: 'That did not work',
      tone: 'warning',
      text: result.message,
      action: html`<p class="actions"><a class="button primary" href="${place.base}">Back to billing</a></p>`,
    })
  if (result.redirectUrl) return reply.redirect(result.redirectUrl, 303)
  if (!result.message) return reply.redirect(`${place.base}?done=${notice}`, 303)
  const { returnUrl, merchantName } = place.view
  return sendMessage(reply, 200, {
    title: notices[notice]!,
    tone: 'ok',
    text: result.message,
    action:
      returnUrl &&
      html`<p class="actions"><a class="button primary" href="${safeUrl(returnUrl)}">Return to ${merchantName}</a></p>`,
  })
}

function show(reply: FastifyReply, status: number, view: OpenPortal, title: string, body: Content): FastifyReply {
  return sendPage(reply, status, { title: `${title} · ${view.merchantName}`, body })
}
