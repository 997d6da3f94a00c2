import type { FastifyInstance, FastifyReply } from 'fastify'
import { payHostedInvoice, viewHostedInvoice } from '../engine/hosted.ts'
import { clockNow, type World } from '../world.ts'
import { declineErrors, type FieldErrors, type Form, readCard } from './cardForm.ts'
import { type FoundInvoice, invoicePage, title } from './invoicePage.ts'
import { invoicePdf } from './invoicePdf.ts'
import { sendNotFound, sendPage } from './layout.ts'

type InvoiceRequest = { Params: { token: string }; Body: Form | null }

export function registerInvoice(app: FastifyInstance, world: World): void {
  app.get<InvoiceRequest>('/i/:token', (request, reply) => {
    const view = viewHostedInvoice(world, request.params.token)
    return view.state === 'found' ? show(reply, 200, view, request.params.token, {}, {}) : sendNotFound(reply)
  })

  app.post<InvoiceRequest>('/i/:token', async (request, reply) => {
    const { token } = request.params
    const view = viewHostedInvoice(world, token)
    if (view.state !== 'found') return sendNotFound(reply)
    // A second submission finds the invoice paid and shows it.
    if (view.status !== 'open') return reply.redirect(`/i/${encodeURIComponent(token)}`, 303)
    const form = request.body ?? {}
    const useSaved = form.with === 'saved' && view.savedCard !== null
    const { card, errors } = readCard(form, clockNow(world) * 1000)
    if (!useSaved && Object.keys(errors).length > 0) return show(reply, 422, view, token, form, errors)
    const { name: _name, ...entered } = card
    const result = await payHostedInvoice(world, token, useSaved ? null : entered)
    if (result.kind === 'complete') return reply.redirect(result.redirectUrl, 303)
    if (result.kind === 'requires_action') return reply.redirect(`/3ds/${result.authenticationId}`, 303)
    return show(reply, 402, view, token, form, declineErrors(result))
  })

  app.get<InvoiceRequest>('/i/:token/pdf', (request, reply) => {
    const view = viewHostedInvoice(world, request.params.token)
    if (view.state !== 'found') return sendNotFound(reply)
    const name = (view.number ?? view.id).replace(/[^A-Za-z0-9_-]/g, '')
    return reply
      .header('content-type', 'application/pdf')
      .header('content-disposition', `inline; filename="invoice-${name}.pdf"`)
      .header('x-content-type-options', 'nosniff')
      .send(invoicePdf(view))
  })
}

function show(
  reply: FastifyReply,
  status: number,
  view: FoundInvoice,
  token: string,
  form: Form,
  errors: FieldErrors,
): FastifyReply {
  const failed = Object.keys(errors).length > 0 ? 'Error: ' : ''
  return sendPage(reply, status, {
    title: `${failed}${title(view)} · ${view.merchantName}`,
    body: invoicePage(view, token, form, errors),
  })
}
