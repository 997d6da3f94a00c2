import { readFileSync } from 'node:fs'
import type { Config } from './config.ts'
import { fail } from './core/errors.ts'
import { newId } from './core/ids.ts'
import { alertBudgets } from './flows/alert-budgets.ts'
import { announceUsage } from './flows/announce-usage.ts'
import { applyCatalog, planCatalog } from './flows/apply-catalog.ts'
import { ensureBootstrapKey } from './flows/change-api-key.ts'
import type { CheckDeps } from './flows/check-entitlements.ts'
import { diffCatalog } from './flows/diff-catalog.ts'
import { pushCatalog } from './flows/push-catalog.ts'
import { closeGauges } from './flows/read-close-progress.ts'
import { readReconciliationFigures } from './flows/read-reconciliation.ts'
import { createUsageRecorder } from './flows/record-usage.ts'
import { catalogFacts } from './flows/steps/catalog-facts.ts'
import { createRefusalCount } from './flows/steps/count-refusals.ts'
import { createRefusedWebhooks } from './flows/steps/record-refused-webhooks.ts'
import { createAuthenticator } from './http/auth.ts'
import type { HttpDeps } from './http/handler.ts'
import type { Health } from './http/operations.ts'
import { createServer } from './http/server.ts'
import { createTokenVerifier } from './modules/access/index.ts'
import type { Catalog } from './modules/catalog/index.ts'
import { loadCatalog, noCatalogHash, parseCatalog } from './modules/catalog/index.ts'
import { createLiveCustomers } from './modules/entitlements/index.ts'
import { loadTemplates } from './modules/notices/index.ts'
import { readProviderSetting, saveProviderSetting } from './modules/payments/index.ts'
import { type Actor, systemActor } from './platform/audit.ts'
import { createBatcher } from './platform/batch.ts'
import { type Clock, systemClock } from './platform/clock.ts'
import { closeDb, type Db, isReachable, openDb, transact } from './platform/db.ts'
import { countWebhooks, type NewWebhook, storeWebhooks } from './platform/inbox.ts'
import type { Log } from './platform/log.ts'
import { createMailer } from './platform/mailer.ts'
import { migrate } from './platform/migrate.ts'
import { type Listener, listen } from './platform/notify.ts'
import { readFeedId } from './platform/outbox.ts'
import { createSeal } from './platform/seal.ts'
import { gauge } from './platform/telemetry.ts'
import { createStripeCatalog } from './providers/stripe/catalog.ts'
import { createClockFollower } from './providers/stripe/follow-clock.ts'
import { createStripe, createStripeCircuit, createStripeProvider } from './providers/stripe/index.ts'
import { startWorker, type Worker } from './worker/worker.ts'

export type App = {
  /** Where the API listens; empty for a process that only works in the background. */
  url: string
  /** What flows work with, for tools that run beside the API in one process, such as benchmarks. */
  deps: HttpDeps
  /** Stops taking requests, finishes what is under way, closes everything. A repeat waits for the first. */
  stop(): Promise<void>
}

/**
 * Puts all parts together and starts them: the only place that knows every part. A clock of the caller's own is moved by the
 * caller alone. Otherwise billing lives by the time of the stand-in, which people move; next to the real provider there is
 * only the real time.
 */
export const startApp = async (config: Config, log: Log, given?: Clock): Promise<App> => {
  const follows = given === undefined && config.provider === 'sandbox'
  const follower = follows ? await createClockFollower(config.stripe.apiBase!, log) : null
  const clock = given ?? follower?.clock ?? systemClock
  await migrate(config.databaseUrl)
  const db = openDb(config.databaseUrl, { log, max: 12 })
  const stopping = new AbortController()

  let current: Catalog | null = await loadCatalog(db)
  let worker: Worker | null = null
  const live = createLiveCustomers(db, config.customersInMemory)
  const authenticator = createAuthenticator({ db, clock, log }, createTokenVerifier(config.tokens))
  const reloadCatalog = async () => {
    const loaded = await loadCatalog(db)
    // Looks may overtake each other: an older one never wins. Everybody is resolved again only once it is in force here.
    if (!loaded || (current && loaded.version <= current.version)) return
    current = loaded
    worker?.catalogChanged()
  }
  const listener = await listen(config.databaseUrl, log, () => {
    // Whatever was announced while nobody listened is not known: start from the database again.
    live.forgetAll()
    authenticator.forget()
    reloadCatalog().catch((error: unknown) => log.warn({ err: error }, 'catalog could not be read again'))
  })
  listener.on(
    'snapshot',
    (notice) => notice.kind === 'snapshot' && live.snapshotChanged(notice.tenantId, notice.version),
  )
  listener.on('counters', (notice) => {
    if (notice.kind === 'counters')
      for (const [tenantId, meter, span, windowStart, used, reserved, version] of notice.moved)
        live.counterMoved(tenantId, meter, windowStart, span, {
          used: BigInt(used),
          reserved: BigInt(reserved),
          version,
        })
  })
  listener.on('credentials', () => authenticator.forget())
  listener.on(
    'catalog',
    () => void reloadCatalog().catch((error: unknown) => log.warn({ err: error }, 'catalog could not be read again')),
  )

  const circuit = createStripeCircuit(config.stripe.timeoutMs)
  const stripe = createStripe({ ...config.stripe, circuit })
  const provider = createStripeProvider(stripe, {
    circuit,
    livemode: /^(sk|rk)_live_/.test(config.stripe.secretKey),
    webhookSecrets: config.stripe.webhookSecrets,
    listingPerSecond: config.reconcilePerSecond,
    log,
    memory: {
      read: (setting) => readProviderSetting(db, 'stripe', setting),
      write: (setting, value) => transact(db, (tx) => saveProviderSetting(tx, 'stripe', setting, value)),
    },
  })

  const catalog = (): Catalog => {
    if (!current) throw fail('catalog_missing')
    return current
  }
  const announcer = createAnnouncer({ db, clock, log, catalog })
  const recorder = createUsageRecorder({ db, clock, live, catalog }, announcer.wake)
  const refusals = createRefusalCount(db, log)
  const flowDeps: CheckDeps = {
    db,
    clock,
    log,
    live,
    presence: listener.presence,
    provider,
    recorder,
    refusals,
    catalog,
    returnOrigins: [...new Set([new URL(config.publicUrl).origin, ...config.returnOrigins])],
    publicUrl: config.publicUrl,
    seal: createSeal(config.sealSecrets),
    notices: noticeSetup(config),
  }
  const deps: HttpDeps = {
    ...flowDeps,
    catalogFacts,
    providerCatalog: (catalog) => createStripeCatalog(stripe, { log, catalog }),
    intake: createBatcher<NewWebhook, void>({
      weightMax: 500,
      concurrency: 2,
      waitingMax: config.webhooks.queueMax,
      work: async (webhooks) => {
        await storeWebhooks(db, webhooks, clock.now())
        return webhooks.map(() => undefined)
      },
    }),
    refusedWebhooks: createRefusedWebhooks(db, clock, log),
    listener,
    feedId: await readFeedId(db),
    demo: config.demo,
    environment: config.environment,
    stopping: stopping.signal,
  }

  if (config.bootstrapOperatorKey) await ensureBootstrapKey(deps, config.bootstrapOperatorKey)
  await prepareCatalog(deps, config, log, () => current, reloadCatalog)

  const gauges = [
    gauge('turnpike_provider_circuit_state', 'Circuit to the payment provider: 0 closed, 1 half open, 2 open', () => [
      { value: ['closed', 'half_open', 'open'].indexOf(provider.availability().circuit) },
    ]),
    gauge('turnpike_webhook_inbox', 'Webhooks in the inbox by state', async () =>
      Object.entries((await countWebhooks(db)).counts).map(([state, value]) => ({ value, labels: { state } })),
    ),
    gauge('turnpike_webhook_inbox_oldest_seconds', 'Age of the webhook that waits longest', async () => {
      const { oldestPending } = await countWebhooks(db)
      return [{ value: oldestPending ? clock.now().since(oldestPending).total('seconds') : 0 }]
    }),
    gauge('turnpike_findings_open', 'Open findings of reconciliation by kind', async () =>
      Object.entries((await readReconciliationFigures(db, clock.now())).openByKind).map(([kind, value]) => ({
        value,
        labels: { kind },
      })),
    ),
    gauge('turnpike_findings_oldest_seconds', 'Age of the oldest open finding', async () => [
      { value: (await readReconciliationFigures(db, clock.now())).oldestOpenSeconds ?? 0 },
    ]),
    gauge('turnpike_drift_per_thousand_customers', 'Findings of the last 30 days per thousand customers', async () => [
      { value: (await readReconciliationFigures(db, clock.now())).driftPerThousandCustomers },
    ]),
    ...closeGauges(flowDeps),
    gauge(
      'turnpike_findings_correction_seconds',
      'Median time from first seen to corrected, last 30 days',
      async () => {
        const { medianSecondsToCorrect } = await readReconciliationFigures(db, clock.now())
        return medianSecondsToCorrect === null ? [] : [{ value: medianSecondsToCorrect }]
      },
    ),
  ]
  const beat = setInterval(() => {
    void refusals.flush()
    void deps.refusedWebhooks.flush()
    authenticator.flush().catch((error: unknown) => log.warn({ err: error }, 'key use could not be written'))
  }, 1_000)
  worker = config.roles.worker
    ? await startWorker(deps, listener, config.databaseUrl, { reconcile: config.reconcileSchedule })
    : null
  const server = config.roles.api
    ? await createServer(deps, authenticator, {
        rateLimitPerSecond: config.rateLimitPerSecond,
        webhookRateLimitPerSecond: config.webhooks.rateLimitPerSecond,
        requestTimeoutMs: config.requestTimeoutMs,
        consoleDir: config.consoleDir,
        health: () => readHealth(db, listener, () => current, stopping.signal),
      })
    : null
  const url = server ? await server.listen({ host: config.host, port: config.port }) : ''

  follower?.follow(async () => worker?.catchUp())

  let stopped: Promise<void> | null = null
  const stop = async () => {
    stopping.abort()
    follower?.stop()
    await server?.close()
    await worker?.stop()
    await recorder.idle()
    await announcer.stop()
    clearInterval(beat)
    for (const end of gauges) end()
    await refusals.flush()
    await deps.refusedWebhooks.flush(true)
    await listener.close()
    await closeDb(db)
  }
  return { url, deps, stop: () => (stopped ??= stop()) }
}

const readHealth = async (
  db: Db,
  listener: Listener,
  catalog: () => Catalog | null,
  stopping: AbortSignal,
): Promise<Health> => {
  const listening = listener.connected()
  const catalogVersion = catalog()?.version ?? null
  const asked = !stopping.aborted && listening && catalogVersion !== null
  const database = asked && (await isReachable(db))
  return { ready: database, database, listening, catalogVersion }
}

/** Templates with a mistake end the start: no customer finds them. */
const noticeSetup = ({ notices, publicUrl }: Config): CheckDeps['notices'] => ({
  templates: loadTemplates(notices.folder, { ...notices, linkBase: publicUrl }),
  mailer: notices.smtp === null ? null : createMailer(notices.smtp),
  from: notices.from,
  off: notices.off,
  operators: notices.operators,
})

/** Tells of moved counters a few times a second per customer, whatever number of records moved them. */
const createAnnouncer = (deps: Parameters<typeof alertBudgets>[0]): { wake(): void; stop(): Promise<void> } => {
  const beatMs = 40
  let due = false
  let running: Promise<void> | null = null
  const run = async () => {
    while (due) {
      due = false
      const begin = systemClock.nowMs()
      try {
        const told = await announceUsage(deps)
        // There may be more than is told in one go.
        due ||= told.length > 0
        await alertBudgets(deps, told)
      } catch (error) {
        // What fails stays written down; the sweep tells it.
        deps.log.warn({ err: error }, 'usage could not be announced; the sweep will')
      }
      // Under load it tells less often, and never takes more than a fifth of the time.
      const restMs = Math.max(beatMs, 4 * (systemClock.nowMs() - begin))
      await new Promise((resolve) => setTimeout(resolve, restMs))
    }
  }
  const start = () => {
    running ??= run().finally(() => {
      running = null
      if (due) start()
    })
  }
  return {
    wake: () => {
      due = true
      start()
    },
    stop: async () => {
      await running
    },
  }
}

/**
 * The catalog at start (CAT-4): the first one is applied from the file; later ones only by `turnpike catalog apply`. The
 * sandbox gets what is missing; with Stripe a mismatch blocks the start in production and names each difference.
 */
const prepareCatalog = async (
  deps: HttpDeps,
  config: Config,
  log: Log,
  current: () => Catalog | null,
  reload: () => Promise<void>,
): Promise<void> => {
  const actor = systemActor('start', newId('request'))
  if (config.catalogFile !== null) {
    const source = readFileSync(config.catalogFile, 'utf8')
    if (current() === null) {
      const artifact = await planCatalog(deps, source)
      if (artifact.baseHash === noCatalogHash)
        await applyCatalog(deps, { source, artifact, reason: 'first start' }, actor)
      await reload()
    } else {
      const parsed = parseCatalog(source)
      if (!parsed.ok || parsed.hash !== current()?.hash)
        log.warn(
          { file: config.catalogFile },
          'the catalog file differs from the catalog in force: `turnpike catalog plan` shows how',
        )
    }
  }
  if (current() === null) {
    log.warn('no catalog has been applied yet: requests that need one answer catalog_missing')
    return
  }
  const differences = await compared(deps, config, actor).catch((error: unknown) => {
    // A provider that is down takes nothing away: the comparison is made up for by `turnpike catalog diff`.
    log.error({ err: error }, 'catalog and provider could not be compared')
    return []
  })
  for (const difference of differences) log.warn({ difference }, difference.sentence)
  if (differences.length > 0 && config.environment === 'production')
    throw new Error(
      `the catalog and the provider differ in ${differences.length} places: ${differences.map((difference) => difference.sentence).join(' ')} Run \`turnpike catalog push\`.`,
    )
}

const compared = async (deps: HttpDeps, config: Config, actor: Actor) => {
  if (config.provider === 'sandbox') await pushCatalog(deps, actor)
  return (await diffCatalog(deps)).differences
}
