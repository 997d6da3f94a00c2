import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { operatorKey, webhookSecret } from '../../support/world.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))

export type ServiceProcess = {
  url: string
  pid: number
  alive(): boolean
  /** What it wrote to its log so far. */
  log(): string
  /** Sends an order to an entry that takes any, and waits for its answer; null when the process ended instead. */
  order<A>(order: unknown): Promise<A | null>
  /** Settles with the exit code when the process has ended, for whatever reason. */
  gone: Promise<number | null>
  /** `kill -9`; settles when the process is gone. */
  kill(): Promise<void>
  /** Asks it to stop; settles with the exit code. */
  stop(): Promise<number | null>
}

/** The service as a process of its own, ready to be asked: what is killed must not be the test. */
export const startServiceProcess = async (settings: {
  databaseUrl: string
  sandboxUrl: string
  port: number
  env?: NodeJS.ProcessEnv
  /** What is started; the service as everybody starts it unless told. */
  entry?: string
}): Promise<ServiceProcess> => {
  const child = spawn(process.execPath, [settings.entry ?? 'server/src/main.ts'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.TURNPIKE_TEST_COMPILED,
      TZ: 'UTC',
      DATABASE_URL: settings.databaseUrl,
      PORT: String(settings.port),
      PUBLIC_URL: 'http://127.0.0.1:4000',
      RETURN_ORIGINS: 'http://127.0.0.1:9999',
      TURNPIKE_PROVIDER: 'sandbox',
      STRIPE_SECRET_KEY: 'sk_test_world',
      STRIPE_API_BASE: settings.sandboxUrl,
      STRIPE_WEBHOOK_SECRET: webhookSecret,
      TURNPIKE_CATALOG: 'catalog/acme.yaml',
      TURNPIKE_BOOTSTRAP_OPERATOR_KEY: operatorKey,
      RATE_LIMIT_PER_SECOND: '1000000',
      LOG_LEVEL: 'warn',
      ...settings.env,
    },
  })
  // Nothing that a test starts outlives it, however the test ends.
  const killWithUs = () => child.kill('SIGKILL')
  process.once('exit', killWithUs)
  const ended = new Promise<number | null>((resolve) =>
    child.once('exit', (code) => {
      process.off('exit', killWithUs)
      resolve(code)
    }),
  )
  const log = collect(child)
  const alive = () => child.exitCode === null && child.signalCode === null
  const url = `http://127.0.0.1:${settings.port}`
  await untilReady(url, alive, log)
  return {
    url,
    pid: child.pid!,
    alive,
    log,
    gone: ended,
    order: (order) => {
      const answer = new Promise<never>((resolve) => child.once('message', resolve as (value: unknown) => void))
      child.send(order as object, () => {})
      return Promise.race([answer, ended.then(() => null)])
    },
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    },
    stop: () => {
      child.kill('SIGTERM')
      return ended
    },
  }
}

const collect = (child: ChildProcess): (() => string) => {
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-200_000)
    })
  return () => text
}

const untilReady = async (url: string, alive: () => boolean, log: () => string): Promise<void> => {
  for (const end = Date.now() + 60_000; ; ) {
    const ready = await fetch(`${url}/health/ready`).then(
      (response) => response.ok,
      () => false,
    )
    if (ready) return
    if (!alive() || Date.now() > end) throw new Error(`the service does not start: ${log().slice(-4_000)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
