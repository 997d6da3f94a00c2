import { expect, test } from 'vitest'
import { readConfig } from '../src/config.ts'

const good: NodeJS.ProcessEnv = {
  DATABASE_URL: 'postgres://u:p@127.0.0.1:5432/turnpike',
  STRIPE_SECRET_KEY: 'sk_test_x',
  STRIPE_WEBHOOK_SECRET: 'whsec_0123456789abcdef',
  TURNPIKE_SEAL_SECRET: 'a secret of at least thirty-two characters',
}

const problemsOf = (env: NodeJS.ProcessEnv) => {
  const read = readConfig(env)
  return 'problems' in read ? read.problems : []
}

test('a small environment is enough, and everything listens on loopback', () => {
  const read = readConfig(good)
  expect('config' in read && read.config).toMatchObject({
    host: '127.0.0.1',
    port: 4000,
    publicUrl: 'http://127.0.0.1:4000',
    provider: 'stripe',
    stripe: { apiBase: null },
    demo: false,
  })
})

test('every mistake is named at once, each with an example', () => {
  const problems = problemsOf({
    PORT: '99999',
    DATABASE_URL: 'mysql://x',
    STRIPE_SECRET_KEY: 'pk_live_oops',
    RETURN_ORIGINS: 'https://a.example/path',
    LOG_LEVEL: 'loud',
    JWT_JWKS: '/nowhere.json',
    RATE_LIMIT_PER_SECOND: '-1',
    TURNPIKE_ONLY: 'all',
  })
  expect(problems.map(({ variable }) => variable)).toEqual(
    expect.arrayContaining([
      'PORT',
      'DATABASE_URL',
      'STRIPE_SECRET_KEY',
      'STRIPE_WEBHOOK_SECRET',
      'RETURN_ORIGINS',
      'LOG_LEVEL',
      'JWT_JWKS',
      'JWT_ISSUER',
      'JWT_AUDIENCE',
      'RATE_LIMIT_PER_SECOND',
      'TURNPIKE_ONLY',
    ]),
  )
  for (const { variable, wrong, example } of problems) {
    expect(wrong).not.toBe('')
    expect(example.startsWith(`${variable}=`)).toBe(true)
  }
})

test('several webhook secrets are active at once', () => {
  const read = readConfig({ ...good, STRIPE_WEBHOOK_SECRET: 'whsec_new_0123456789, whsec_old_0123456789' })
  expect('config' in read && read.config.stripe.webhookSecrets).toEqual([
    'whsec_new_0123456789',
    'whsec_old_0123456789',
  ])
})

test.each([
  [
    'the sandbox',
    { TURNPIKE_PROVIDER: 'sandbox', STRIPE_API_BASE: 'http://127.0.0.1:4010' },
    'TURNPIKE_ALLOW_SANDBOX_IN_PRODUCTION',
  ],
  ['demonstration data', { TURNPIKE_DEMO: '1' }, 'TURNPIKE_ALLOW_DEMO_IN_PRODUCTION'],
])('production refuses %s unless it is asked for by name (PAY-4)', (_, env, variable) => {
  const production = { ...good, ...env, NODE_ENV: 'production' }
  expect(problemsOf(production).map((problem) => problem.variable)).toEqual([variable])
  expect(problemsOf({ ...production, [variable]: '1' })).toEqual([])
  expect(problemsOf({ ...production, NODE_ENV: undefined })).toEqual([])
})

test('production talks to the provider itself', () => {
  expect(
    problemsOf({ ...good, NODE_ENV: 'production', STRIPE_API_BASE: 'http://127.0.0.1:9' }).map(
      ({ variable }) => variable,
    ),
  ).toEqual(['STRIPE_API_BASE'])
})

test('production needs a secret for its seals, and a short one is refused (SEC-3)', () => {
  const without = { ...good, TURNPIKE_SEAL_SECRET: undefined }
  expect(problemsOf({ ...without, NODE_ENV: 'production' })).toMatchObject([{ variable: 'TURNPIKE_SEAL_SECRET' }])
  expect(problemsOf({ ...good, TURNPIKE_SEAL_SECRET: 'short' })).toMatchObject([{ variable: 'TURNPIKE_SEAL_SECRET' }])
  expect(problemsOf(without)).toEqual([])
})
