import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import { createFaults } from './control/faults.ts'
import { controlRoutes } from './control/routes.ts'
import { resumeClocks, runPresent } from './engine/clock.ts'
import { createFollowers } from './engine/followers.ts'
import { createDelivering } from './events/deliver.ts'
import { configureEndpoint } from './objects/webhookEndpoint.ts'
import { registerPages } from './pages/index.ts'
import { catalogRoutes } from './routes/catalog.ts'
import { creditNoteRoutes } from './routes/creditNotes.ts'
import { customerRoutes } from './routes/customers.ts'
import { invoiceRoutes } from './routes/invoices.ts'
import { meterRoutes } from './routes/meters.ts'
import { offerRoutes } from './routes/offers.ts'
import { paymentRoutes } from './routes/payments.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { subscriptionRoutes } from './routes/subscriptions.ts'
import { systemRoutes } from './routes/system.ts'
import { taxIdRoutes } from './routes/taxIds.ts'
import { openStore } from './store/openStore.ts'
import { transact } from './store/transact.ts'
import { endpointsOf } from './wire/endpoints.ts'
import { serve } from './wire/serve.ts'
import { defaultSettings, type Settings, type World } from './world.ts'

export type SandboxOptions = {
  /** 0 takes any free port. */
  port: number
  host?: string
  /** ':memory:' (the default) forgets everything at the end. */
  stateFile?: string
  /** `secret` may name several, joined by commas: every webhook is then signed with each. */
  webhook?: { url: string; secret: string; events?: string[] }
  log?: boolean
}

export type Sandbox = { url: string; port: number; close: () => Promise<void> }

/** Starts a Stripe-compatible server on a loopback address. A restart on the same state file loses nothing. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const host = options.host ?? '127.0.0.1'
  if (!['127.0.0.1', '::1', 'localhost'].includes(host))
    throw new Error(`The sandbox only listens on loopback, not on ${host}.`)
  const app = Fastify({
    logger: options.log ? { level: 'info' } : { level: 'error' },
    bodyLimit: 4 * 1024 * 1024,
    forceCloseConnections: true,
  })
  const store = openStore(options.stateFile ?? ':memory:')
  const world: World = {
    url: '',
    app,
    store,
    clock: { offset: Number(store.meta('clock_offset') ?? 0), pinned: null, advancing: null },
    settings: { ...defaultSettings, ...(JSON.parse(store.meta('settings') ?? '{}') as Partial<Settings>) },
    faults: createFaults(),
    followers: createFollowers(),
    delivering: createDelivering(() => world),
  }
  // Bodies are read as text: forms have their own decoder, and the control API parses its JSON itself.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  controlRoutes(app, world)
  serve(
    app,
    world,
    endpointsOf(
      catalogRoutes,
      customerRoutes,
      subscriptionRoutes,
      invoiceRoutes,
      creditNoteRoutes,
      paymentRoutes,
      sessionRoutes,
      offerRoutes,
      taxIdRoutes,
      meterRoutes,
      systemRoutes,
    ),
  )
  registerPages(app, world)
  transact(world, null, (tx) => configureEndpoint(tx, options.webhook))
  await app.listen({ port: options.port, host })
  const { port } = app.server.address() as AddressInfo
  world.url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  const timer = setInterval(() => {
    runPresent(world).catch((error) => app.log.error(error))
    world.delivering.wake()
  }, 1000)
  timer.unref()
  resumeClocks(world)
  world.delivering.wake()
  return {
    url: world.url,
    port,
    close: async () => {
      clearInterval(timer)
      world.followers.stop()
      await world.delivering.stop()
      await app.close()
      await world.clock.advancing?.catch(() => {})
      store.close()
    },
  }
}
