import type { FastifyInstance } from 'fastify'
import { advanceClock } from '../engine/clock.ts'
import { StripeError } from '../wire/errors.ts'
import type { World } from '../world.ts'
import { registerAssets } from './assets.ts'
import { registerCheckout } from './checkoutRoutes.ts'
import { leverTarget } from './clockLevers.ts'
import { homePage } from './homePage.ts'
import { registerInvoice } from './invoiceRoutes.ts'
import { sendMessage, sendNotFound, sendPage } from './layout.ts'
import { registerPortal } from './portalRoutes.ts'

/** Serves every page that a customer's browser may see. */
export function registerPages(app: FastifyInstance, world: World): void {
  // A scope of its own: forms are flat here, unlike the nested parameters of the API.
  app.register(async (pages) => {
    pages.removeContentTypeParser('application/x-www-form-urlencoded')
    pages.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: 64 * 1024 },
      (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
    )
    pages.setErrorHandler((error, request, reply) => {
      if (error instanceof StripeError && error.status < 500)
        return sendMessage(reply, error.status, { title: 'That is not possible', tone: 'warning', text: error.message })
      request.log.error(error)
      return sendMessage(reply, 500, {
        title: 'The sandbox made a mistake',
        tone: 'warning',
        text: 'Go back and try again. The log of the sandbox says what happened.',
      })
    })
    registerAssets(pages)
    pages.get('/', (_request, reply) => sendPage(reply, 200, { title: 'Turnpike sandbox', body: homePage(world) }))
    pages.post<{ Body: { lever?: string } | null }>('/clock', async (request, reply) => {
      const to = leverTarget(world, request.body?.lever ?? '')
      if (to === null) return sendNotFound(reply)
      await advanceClock(world, to)
      return reply.redirect('/', 303)
    })
    registerCheckout(pages, world)
    registerPortal(pages, world)
    registerInvoice(pages, world)
  })
}
