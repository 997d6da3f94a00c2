import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ensureConsoleBuilt } from './console-build.ts'
import { createDemonstration, type Demonstration, demonstrationEnvironment, keptSecrets } from './demonstration.ts'
import { startPostgres } from './postgres.ts'
import { type Program, startProgram } from './program.ts'
import { readStartConfig, type StartConfig } from './start-config.ts'

const root = join(import.meta.dirname, '../..')

/**
 * `npm start`: PostgreSQL, the sandbox, the service with its console and a demonstration, each only where the
 * environment names no other. Runs until it is asked to stop, or until one of its parts ends.
 */
async function start(config: StartConfig, stop: AbortController): Promise<void> {
  // In the order of starting; stopped in the opposite order, so that nobody loses what they stand on.
  const parts: { stop(): Promise<void> }[] = []
  const run = (options: Parameters<typeof startProgram>[0], patienceMs: number): Program => {
    const program = startProgram(options)
    parts.push({ stop: () => program.stop(patienceMs) })
    program.ended.then((words) => stop.abort(new Error(words)))
    return program
  }
  try {
    mkdirSync(config.dataDir, { recursive: true, mode: 0o700 })
    const secrets = await keptSecrets(config.dataDir)
    const apiUrl = `http://127.0.0.1:${config.port}`
    const sandboxUrl = config.stripe ? null : `http://127.0.0.1:${config.sandboxPort}`

    const databaseUrl = config.databaseUrl ?? (await startDatabase(config, parts, stop))
    await ensureConsoleBuilt(root, stop.signal)
    if (sandboxUrl) {
      run(
        {
          name: 'The sandbox',
          file: join(root, 'sandbox/src/main.ts'),
          log: join(config.dataDir, 'logs/sandbox.log'),
          env: {
            ...process.env,
            SANDBOX_PORT: String(config.sandboxPort),
            SANDBOX_STATE_FILE: join(config.dataDir, 'sandbox.json'),
            SANDBOX_WEBHOOK_URL: `${apiUrl}/api/v1/billing/webhooks/stripe`,
            SANDBOX_WEBHOOK_SECRET: secrets.webhookSecret,
          },
        },
        5_000,
      )
      // Any answer will do: it has no business being healthy or not.
      await answers(sandboxUrl, () => true, stop.signal)
    }
    run(
      {
        name: 'The service',
        file: join(root, 'server/src/main.ts'),
        log: join(config.dataDir, 'logs/service.log'),
        env: {
          ...process.env,
          HOST: '127.0.0.1',
          PORT: String(config.port),
          DATABASE_URL: databaseUrl,
          TURNPIKE_CATALOG: process.env.TURNPIKE_CATALOG || join(root, 'catalog/acme.yaml'),
          TURNPIKE_CONSOLE_DIR: join(root, 'console/dist'),
          ...providerEnvironment(config, sandboxUrl, secrets),
          TURNPIKE_SEAL_SECRET: process.env.TURNPIKE_SEAL_SECRET?.trim() || secrets.sealSecret,
          ...(config.demonstration ? demonstrationEnvironment(config.dataDir, secrets) : {}),
        },
      },
      20_000,
    )
    await answers(`${apiUrl}/health/ready`, (response) => response.ok, stop.signal)
    const demonstration = config.demonstration
      ? await createDemonstration({ dataDir: config.dataDir, apiUrl, sandboxUrl, secrets, signal: stop.signal })
      : null
    stop.signal.throwIfAborted()
    announce(config, apiUrl, demonstration)
    await new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }))
  } catch (error) {
    if (!stop.signal.aborted) stop.abort(error)
  } finally {
    for (const part of parts.toReversed()) await part.stop()
  }
}

async function startDatabase(
  config: StartConfig,
  parts: { stop(): Promise<void> }[],
  stop: AbortController,
): Promise<string> {
  const postgres = await startPostgres({ dataDir: join(config.dataDir, 'postgres') })
  parts.push({ stop: () => postgres.stop() })
  postgres.exited.then(({ code, signal }) =>
    stop.abort(
      new Error(
        `PostgreSQL ended (${signal ?? `exit code ${code}`}). See ${join(config.dataDir, 'postgres/server.log')}`,
      ),
    ),
  )
  stop.signal.throwIfAborted()
  return postgres.url
}

function providerEnvironment(
  config: StartConfig,
  sandboxUrl: string | null,
  secrets: { stripeSecretKey: string; webhookSecret: string },
): NodeJS.ProcessEnv {
  if (config.stripe) {
    return {
      TURNPIKE_PROVIDER: process.env.TURNPIKE_PROVIDER || 'stripe',
      STRIPE_SECRET_KEY: config.stripe.secretKey,
      STRIPE_WEBHOOK_SECRET: config.stripe.webhookSecrets,
      ...(config.stripe.apiBase ? { STRIPE_API_BASE: config.stripe.apiBase } : {}),
    }
  }
  return {
    TURNPIKE_PROVIDER: 'sandbox',
    STRIPE_SECRET_KEY: secrets.stripeSecretKey,
    STRIPE_WEBHOOK_SECRET: secrets.webhookSecret,
    STRIPE_API_BASE: sandboxUrl!,
  }
}

/** Waits until an address answers as hoped. A part that ends meanwhile aborts the signal, and with it the waiting. */
async function answers(url: string, hoped: (response: Response) => boolean, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + 120_000
  for (;;) {
    signal.throwIfAborted()
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]) }).catch(
      () => null,
    )
    await response?.body?.cancel()
    if (response && hoped(response)) return
    if (Date.now() > deadline) throw new Error(`${url} did not become ready within two minutes`)
    await delay(50)
  }
}

function announce(config: StartConfig, apiUrl: string, demonstration: Demonstration | null): void {
  const lines = ['', 'Turnpike is running.', '', `  Service and API   ${apiUrl}/api/v1`]
  if (demonstration) lines.push(`  Console           ${demonstration.consoleUrl}`)
  if (!config.stripe) lines.push(`  Stripe sandbox    http://127.0.0.1:${config.sandboxPort}`)
  lines.push(`  Data and logs     ${config.dataDir}`, '')
  if (demonstration) {
    lines.push(
      'Try this:',
      '  1. Sign in as the owner of Northwind by this link, and buy Pro with the card 4242 4242 4242 4242:',
      `     ${demonstration.consoleUrl}#token=${demonstration.ownerToken}`,
      '  2. Watch the same customer as an operator:',
      `     ${demonstration.consoleUrl}#token=${demonstration.operatorKey}`,
      '  3. Ask as a service what the plan allows:',
      `     curl -s -H "authorization: Bearer ${demonstration.serviceKey}" "${apiUrl}/api/v1/entitlements?tenantId=${demonstration.tenantId}"`,
      ...(demonstration.sandboxUrl
        ? [
            '  4. Let a month pass, and find what was used explained on the invoice: “Past the next renewal” at',
            `     ${demonstration.sandboxUrl}/`,
          ]
        : []),
      `  Scripts find addresses, keys and tokens in ${join(config.dataDir, 'demo.json')}.`,
      '',
    )
  }
  lines.push('Press Ctrl-C to stop. What you did is kept for the next start.')
  console.log(lines.join('\n'))
}

const { config, problems } = await readStartConfig(process.env, root)
if (!config) {
  console.error(
    ['Turnpike cannot start with this configuration:', ...problems.map((problem) => `  - ${problem}`)].join('\n'),
  )
  process.exit(1)
}
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => stopCleanly())
}
// A signal to npm ends npm and not what it started: without this, everything would go on with nobody to stop it.
if (process.env.npm_lifecycle_event === 'start') {
  const npm = process.ppid
  setInterval(() => {
    if (process.ppid !== npm) stopCleanly()
  }, 200).unref()
}
await start(config, stop)
if (stop.signal.reason instanceof Error) {
  console.error(`Turnpike stopped: ${stop.signal.reason.message}`)
  process.exitCode = 1
} else {
  console.log('Stopped.')
}

function stopCleanly(): void {
  if (!stop.signal.aborted) console.log('\nStopping …')
  stop.abort(null)
}
