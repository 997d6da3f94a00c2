import { describe, expect, test } from 'vitest'
import { readConfig } from '../src/config.ts'

const base = {
  DATABASE_URL: 'postgres://user:password@127.0.0.1:5432/turnpike',
  STRIPE_SECRET_KEY: 'sk_test_1',
  STRIPE_WEBHOOK_SECRET: 'whsec_0123456789abcdef',
}
const read = (env: NodeJS.ProcessEnv) => readConfig({ ...base, ...env })
const notices = (env: NodeJS.ProcessEnv) => {
  const answer = read(env)
  if ('problems' in answer) throw new Error(JSON.stringify(answer.problems))
  return answer.config.notices
}
const from = { NOTICES_FROM: 'Acme Billing <billing@acme.example>' }

describe('how mail is sent (DUN-2, SEC-3)', () => {
  test('without a mail server nothing is needed', () => {
    expect(notices({})).toMatchObject({ smtp: null, locale: 'en-US', timeZone: 'UTC', off: [], operators: [] })
  })
  test.each([
    ['smtp://mail.acme.example', { host: 'mail.acme.example', port: 587, tls: 'required', login: null }],
    ['smtps://mail.acme.example', { port: 465, tls: 'always' }],
    ['smtp://127.0.0.1:2525', { port: 2525, tls: 'if_offered' }],
    ['smtp://[::1]', { host: '::1', tls: 'if_offered' }],
    ['smtp://mail.acme.example?tls=never', { tls: 'never' }],
    ['smtp://ana%40acme:p%2Fw@mail.acme.example', { login: { user: 'ana@acme', password: 'p/w' } }],
  ])('%s', (SMTP_URL, smtp) => {
    expect(notices({ SMTP_URL, ...from }).smtp).toMatchObject(smtp)
  })
  test('who writes signs, unless a brand is named', () => {
    expect(notices(from).brand).toBe('Acme Billing')
    expect(notices({ ...from, NOTICES_BRAND: 'Acme' }).brand).toBe('Acme')
  })
  test.each([
    ['SMTP_URL', { SMTP_URL: 'mail.acme.example', ...from }],
    ['SMTP_URL', { SMTP_URL: 'http://mail.acme.example', ...from }],
    ['SMTP_URL', { SMTP_URL: 'smtp://mail.acme.example?tls=perhaps', ...from }],
    ['SMTP_URL', { SMTP_URL: 'smtp://mail.acme.example?rejectUnauthorized=false', ...from }],
    ['SMTP_URL', { SMTP_URL: 'smtps://mail.acme.example?tls=never', ...from }],
    ['NOTICES_FROM', { SMTP_URL: 'smtp://mail.acme.example' }],
    ['NOTICES_FROM', { NOTICES_FROM: 'Acme' }],
    ['NOTICES_LOCALE', { NOTICES_LOCALE: 'not a language' }],
    ['NOTICES_TIME_ZONE', { NOTICES_TIME_ZONE: 'Europe/Nowhere' }],
    ['NOTICES_DIR', { NOTICES_DIR: '/nowhere/at/all' }],
    ['NOTICES_OFF', { NOTICES_OFF: 'receipt,birthday' }],
    ['NOTICES_OPERATORS', { NOTICES_OPERATORS: 'a@acme.example,nobody' }],
    ['SMTP_TIMEOUT_SECONDS', { SMTP_TIMEOUT_SECONDS: '0' }],
  ])('a mistake in %s is told at the start: %j', (variable, env) => {
    const answer = read(env)
    expect('problems' in answer && answer.problems.map((problem) => problem.variable)).toContain(variable)
  })
})
