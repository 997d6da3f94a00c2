import { createServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { freePort } from '../src/postgres.ts'
import { readStartConfig } from '../src/start-config.ts'

const servers: { close(): unknown }[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** Free ports, so that a Turnpike that runs beside the tests does not matter. */
const anyPorts = { PORT: '0', SANDBOX_PORT: '0' }

async function problemsOf(environment: Record<string, string>): Promise<string[]> {
  return (await readStartConfig({ ...anyPorts, ...environment }, '/turnpike')).problems
}

test('with nothing set it is the embedded database, the sandbox and the demonstration', async () => {
  const { config } = await readStartConfig(anyPorts, '/turnpike')
  expect(config).toMatchObject({ dataDir: '/turnpike/.turnpike', databaseUrl: null, stripe: null, demonstration: true })
  expect(config?.port).toBeGreaterThan(0)
  expect(config?.sandboxPort).not.toBe(config?.port)
})

test('every problem is reported at once, each with its variable and an example', async () => {
  const problems = await problemsOf({
    PORT: 'eighty',
    DATABASE_URL: 'mysql://root:hidden@127.0.0.1/x',
    SANDBOX_PORT: '4e3',
    RETURN_ORIGINS: 'https://app.example.com/path',
  })
  expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
    'PORT',
    'DATABASE_URL',
    'RETURN_ORIGINS',
    'SANDBOX_PORT',
  ])
  for (const problem of problems) expect(problem).toContain('Example: ')
})

test('a wrong Stripe configuration is told in one go', async () => {
  const problems = await problemsOf({
    STRIPE_SECRET_KEY: 'pk_test_public',
    STRIPE_WEBHOOK_SECRET: 'short',
    STRIPE_API_BASE: 'localhost:4242',
  })
  expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
    'STRIPE_SECRET_KEY',
    'STRIPE_WEBHOOK_SECRET',
    'STRIPE_API_BASE',
  ])
})

test.each(['70000', '-1', '80.5', '4e3', '0x50'])('the port %s is refused, once', async (port) => {
  expect(await problemsOf({ PORT: port })).toEqual([expect.stringContaining('PORT is not a whole number')])
  expect(await problemsOf({ SANDBOX_PORT: port })).toEqual([
    expect.stringContaining('SANDBOX_PORT is not a whole number'),
  ])
})

test('a port that another program uses is named before anything starts', async () => {
  const server = createServer()
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  expect(await problemsOf({ SANDBOX_PORT: String(port) })).toEqual([
    expect.stringContaining(`SANDBOX_PORT is ${port}, and another program listens there`),
  ])
})

test('service and sandbox cannot share a port', async () => {
  const port = String(await freePort())
  expect(await problemsOf({ PORT: port, SANDBOX_PORT: port })).toEqual([
    expect.stringContaining(`SANDBOX_PORT is ${port}, which is PORT as well`),
  ])
})

test('secrets are never repeated in a problem', async () => {
  const problems = await problemsOf({
    DATABASE_URL: 'postgresql://turnpike:hidden@127.0.0.1:1/turnpike',
    STRIPE_SECRET_KEY: 'hidden',
    STRIPE_WEBHOOK_SECRET: 'hidden',
  })
  expect(problems).toHaveLength(3)
  expect(problems.join('\n')).not.toContain('hidden')
})

test('a database that does not answer is a problem, and one that does is taken', async () => {
  expect(await problemsOf({ DATABASE_URL: 'postgresql://a:b@127.0.0.1:1/c' })).toEqual([
    expect.stringContaining('DATABASE_URL names a database that does not answer'),
  ])
  const DATABASE_URL = process.env.TURNPIKE_TEST_POSTGRES!
  const { config } = await readStartConfig({ ...anyPorts, DATABASE_URL }, '/turnpike')
  expect(config?.databaseUrl).toBe(DATABASE_URL)
})

test('a Stripe key takes the place of the sandbox, and needs a way to verify webhooks', async () => {
  const environment = {
    ...anyPorts,
    STRIPE_SECRET_KEY: 'sk_test_1',
    STRIPE_WEBHOOK_SECRET: 'whsec_new_0123456789, whsec_old_0123456789',
  }
  const { config } = await readStartConfig(environment, '/turnpike')
  expect(config?.stripe).toEqual({
    secretKey: 'sk_test_1',
    webhookSecrets: 'whsec_new_0123456789, whsec_old_0123456789',
    apiBase: null,
  })
  expect(await problemsOf({ STRIPE_SECRET_KEY: 'sk_test_1' })).toEqual([
    expect.stringContaining('STRIPE_WEBHOOK_SECRET is not set'),
  ])
})

test('production refuses the sandbox and the demonstration unless they are asked for by name', async () => {
  expect(await problemsOf({ NODE_ENV: 'production' })).toEqual([
    expect.stringContaining('TURNPIKE_ALLOW_SANDBOX_IN_PRODUCTION is not set'),
    expect.stringContaining('JWT_JWKS is not set'),
  ])
  expect(await problemsOf({ NODE_ENV: 'production', TURNPIKE_DEMO: '1' })).toEqual([
    expect.stringContaining('TURNPIKE_ALLOW_SANDBOX_IN_PRODUCTION is not set'),
    expect.stringContaining('TURNPIKE_ALLOW_DEMO_IN_PRODUCTION is not set'),
  ])
  const asked = {
    ...anyPorts,
    NODE_ENV: 'production',
    TURNPIKE_ALLOW_SANDBOX_IN_PRODUCTION: '1',
    TURNPIKE_ALLOW_DEMO_IN_PRODUCTION: '1',
  }
  expect((await readStartConfig(asked, '/turnpike')).config).toMatchObject({ stripe: null, demonstration: true })
})

test('a live key never gets demonstration data by itself', async () => {
  const environment = {
    ...anyPorts,
    STRIPE_SECRET_KEY: 'rk_live_1',
    STRIPE_WEBHOOK_SECRET: 'whsec_0123456789',
    JWT_JWKS: 'https://login.example.com/jwks.json',
    JWT_ISSUER: 'https://login.example.com',
    JWT_AUDIENCE: 'turnpike',
  }
  expect((await readStartConfig(environment, '/turnpike')).config).toMatchObject({ demonstration: false })
})
