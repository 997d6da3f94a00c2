import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CatalogPlanArtifact } from '@turnpike/contract'
import { beforeEach, describe, expect, test } from 'vitest'
import { type ContractServer, startContractServer } from './support/contract-server.ts'
import { type Outcome, runTurnpike } from './support/turnpike.ts'

let server: ContractServer
let folder: string
beforeEach(async () => {
  server = await startContractServer()
  folder = mkdtempSync(join(tmpdir(), 'turnpike-cli-'))
  return async () => {
    await server.close()
    rmSync(folder, { recursive: true })
  }
})

type Around = { environment?: Record<string, string>; onOutput?: (out: string, end: () => void) => void }

const turnpikeIn = (words: string[], { environment, onOutput }: Around = {}): Promise<Outcome> =>
  runTurnpike(words, {
    environment: environment ?? { TURNPIKE_URL: server.url, TURNPIKE_KEY: 'tpk_test' },
    cwd: folder,
    onOutput,
  })
const turnpike = (...words: string[]) => turnpikeIn(words)

const artifact: CatalogPlanArtifact = {
  baseHash: 'a'.repeat(64),
  targetHash: 'b'.repeat(64),
  changes: [
    {
      kind: 'update',
      object: 'plan',
      key: 'pro',
      sentence: 'Plan "pro" changes in prices.',
      before: null,
      after: null,
    },
    { kind: 'add', object: 'feature', key: 'beta', sentence: 'Feature "beta" is new.', before: null, after: null },
  ],
  affectedCustomers: [{ plan: 'pro', version: 1, customers: 12, staysOnVersion: true }],
  recurringRevenueDelta: [
    { amountMinor: '120050', currency: 'USD' },
    { amountMinor: '-5', currency: 'EUR' },
    { amountMinor: '300', currency: 'JPY' },
  ],
  losses: [{ plan: 'pro', feature: 'sso', customers: 12, sentence: '"sso" is not granted any more.' }],
  blocked: false,
}
const version = {
  version: 2,
  hash: 'b'.repeat(64),
  appliedAt: '2026-01-31T00:00:00Z',
  appliedBy: 'key_1',
  summary: '1 added, 1 changed',
  plans: { free: 1, pro: 2 },
}
const file = (name: string, content: string) => writeFileSync(join(folder, name), content)

describe('catalog validate', () => {
  test('a good file: exit code 0', async () => {
    file('good.yaml', 'catalog: acme')
    server.answer('validateCatalog', { data: { valid: true, problems: [] } })
    expect(await turnpike('catalog', 'validate', 'good.yaml')).toEqual({
      code: 0,
      out: 'good.yaml has no mistakes.\n',
      error: '',
    })
    expect(server.asked).toEqual([
      {
        route: 'validateCatalog',
        params: {},
        query: {},
        body: { source: 'catalog: acme' },
        credential: 'Bearer tpk_test',
      },
    ])
  })

  test('a bad file: each mistake as file, line and column, exit code 1', async () => {
    file('bad.yaml', 'catalog: 5')
    const problems = [
      { line: 1, column: 10, path: 'catalog', message: 'Must be text.' },
      { line: 1, column: 1, path: '', message: '"plans" is missing.\u001b[31m' },
    ]
    server.answer('validateCatalog', { data: { valid: false, problems } })
    expect(await turnpike('catalog', 'validate', 'bad.yaml')).toEqual({
      code: 1,
      out: 'bad.yaml:1:10 catalog: Must be text.\nbad.yaml:1:1 "plans" is missing.[31m\n2 mistakes.\n',
      error: '',
    })
    const json = await turnpike('catalog', 'validate', 'bad.yaml', '--json')
    expect([json.code, JSON.parse(json.out)]).toEqual([1, { valid: false, problems }])
  })

  test('a file that is not there: exit code 2, and nobody is asked', async () => {
    expect(await turnpike('catalog', 'validate', 'none.yaml')).toEqual({
      code: 2,
      out: '',
      error: 'none.yaml cannot be read: ENOENT.\n',
    })
    expect(server.asked).toEqual([])
  })
})

describe('catalog plan and apply', () => {
  test('the plan says what changes, for whom, the revenue and the losses, and is kept for apply', async () => {
    file('acme.yaml', 'catalog: acme')
    server.answer('planCatalog', { data: artifact })
    const planned = await turnpike('catalog', 'plan', 'acme.yaml', '-o', 'plan.json')
    expect(planned.code).toBe(0)
    expect(planned.out).toContain('~ Plan "pro" changes in prices.\n+ Feature "beta" is new.\n')
    expect(planned.out).toMatch(/pro {3}1 {8}12 {9}yes/)
    expect(planned.out).toContain('+1200.50 USD\n  -0.05 EUR\n  +300 JPY\n')
    expect(planned.out).toContain('12 on pro: "sso" is not granted any more.')
    expect(JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8'))).toEqual(artifact)

    server.answer('applyCatalog', { data: version })
    const applied = await turnpike('catalog', 'apply', 'acme.yaml', '--plan', 'plan.json', '--reason', 'New year')
    expect(applied).toEqual({ code: 0, out: 'Catalog 2 is in force: 1 added, 1 changed.\nfree 1, pro 2\n', error: '' })
    expect(server.asked.at(-1)).toMatchObject({
      route: 'applyCatalog',
      body: { source: 'catalog: acme', artifact, reason: 'New year' },
    })
  })

  test('a blocked plan: exit code 1', async () => {
    file('acme.yaml', 'catalog: acme')
    server.answer('planCatalog', { data: { ...artifact, blocked: true } })
    const planned = await turnpike('catalog', 'plan', 'acme.yaml')
    expect(planned.code).toBe(1)
    expect(planned.out).toContain('Blocked: this file cannot be applied.')
  })

  test('a stale plan: code, sentence and what to do next, exit code 3', async () => {
    file('acme.yaml', 'catalog: acme')
    file('plan.json', JSON.stringify(artifact))
    server.answer('applyCatalog', { problem: 'catalog_stale' })
    expect(await turnpike('catalog', 'apply', 'acme.yaml', '--plan', 'plan.json')).toEqual({
      code: 3,
      out: '',
      error:
        'catalog_stale: The catalog has changed since this plan was made.\nPlan again and look at what would change now.\nrequest request_1\n',
    })
  })

  test('mistakes of the file are named with the file', async () => {
    file('acme.yaml', 'catalog: acme')
    server.answer('planCatalog', {
      problem: 'catalog_invalid',
      errors: [{ field: '3:11 baseline', message: 'There is no plan "fre".' }],
    })
    const { code, error } = await turnpike('catalog', 'plan', 'acme.yaml')
    expect(code).toBe(3)
    expect(error).toContain('  acme.yaml:3:11 baseline: There is no plan "fre".\n')
  })

  test('a plan file that is none: exit code 2', async () => {
    file('acme.yaml', 'catalog: acme')
    file('plan.json', 'no json')
    const { code, error } = await turnpike('catalog', 'apply', 'acme.yaml', '--plan', 'plan.json')
    expect([code, error.includes('plan.json is no plan')]).toEqual([2, true])
    expect((await turnpike('catalog', 'apply', 'acme.yaml')).code).toBe(2)
    expect(server.asked).toEqual([])
  })
})

describe('catalog push, diff and history', () => {
  test('push says what was made', async () => {
    server.answer('pushCatalog', { data: { created: ['acme_pro'], updated: [], unchanged: 3 } })
    expect((await turnpike('catalog', 'push')).out).toBe('created  acme_pro\n1 created, 0 updated, 3 unchanged.\n')
  })

  test('diff: exit code 0 when both agree, 1 with each difference when not', async () => {
    server.answer('diffCatalog', { data: { inSync: true, differences: [] } })
    expect(await turnpike('catalog', 'diff')).toEqual({ code: 0, out: 'Catalog and provider agree.\n', error: '' })
    const difference = {
      kind: 'differs',
      object: 'price',
      key: 'acme_pro',
      field: 'amountMinor',
      ours: '4900',
      theirs: '5900',
      sentence: 'x',
    }
    server.answer('diffCatalog', { data: { inSync: false, differences: [difference] } })
    const { code, out } = await turnpike('catalog', 'diff')
    expect(code).toBe(1)
    expect(out).toMatch(/differs {5}price {3}acme_pro {2}amountMinor {2}4900 {2}5900/)
  })

  test('history lists versions', async () => {
    server.answer('listCatalogHistory', { data: [version] })
    expect((await turnpike('catalog', 'history')).out).toContain('2        2026-01-31T00:00:00Z  key_1')
    server.answer('listCatalogHistory', { data: [] })
    expect((await turnpike('catalog', 'history')).out).toBe('No catalog was applied yet.\n')
  })
})

describe('customers', () => {
  const period = { start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00Z' }
  test('usage is a table', async () => {
    const meter = {
      meter: 'api_calls',
      name: 'API calls',
      unit: 'call',
      feature: 'api_calls',
      used: 950,
      included: 1000,
      limit: null,
      remaining: null,
      percent: 95,
      overage: 0,
      enforcement: 'soft',
      state: 'nearing_limit',
      upgradePlan: null,
      refusedAttempts: 2,
      projection: null,
      window: period,
    }
    server.answer('getUsage', {
      data: { tenantId: 'northwind', snapshotVersion: 3, meters: [meter], asOf: period.start },
    })
    const { code, out } = await turnpike('usage', 'northwind')
    expect(code).toBe(0)
    expect(out).toMatch(/api_calls {2}950 {3}1000 {6}unlimited {2}95% {6}0 {8}nearing_limit {2}2/)
    expect(server.asked[0]).toMatchObject({ route: 'getUsage', query: { tenantId: 'northwind' } })
  })

  test('explain says each step and what would allow it', async () => {
    const decision = {
      feature: 'sso',
      allowed: false,
      reason: 'not_included',
      kind: 'boolean',
      value: false,
      limit: null,
      used: null,
      remaining: null,
      resetsAt: null,
      state: 'upgrade_available',
      upgradePlan: 'pro',
      consumed: false,
    }
    server.answer('explain', {
      data: {
        tenantId: 'northwind',
        feature: 'sso',
        at: period.start,
        decision,
        snapshotVersion: 3,
        accessLevel: 'full',
        steps: [{ source: 'subscription', decided: true, sentence: 'Plan "free" does not grant it.', detail: {} }],
        wouldAllow: ['Upgrade to "pro".'],
      },
    })
    const { out } = await turnpike('explain', 'northwind', 'sso', '--at', period.start)
    expect(out).toContain('allowed   no\nreason    not_included\n')
    expect(out).toContain('> subscription: Plan "free" does not grant it.\nwould allow: Upgrade to "pro".\n')
    expect(server.asked[0]).toMatchObject({
      route: 'explain',
      params: { feature: 'sso' },
      query: { tenantId: 'northwind', at: period.start },
    })
  })

  test('decisions are listed as they were made, and one says whether it comes out the same again', async () => {
    const decision = {
      id: 'decision_rZXhwb3J0LTE',
      tenantId: 'northwind',
      kind: 'consume',
      feature: 'exports',
      at: period.start,
      firstAt: period.start,
      attempts: 1,
      quantity: 5,
      allowed: false,
      reason: 'limit_reached',
      because: null,
      snapshotVersion: 3,
      plan: 'pro',
      planVersion: 2,
      overrideId: null,
      policy: { enforcement: 'hard', windowStart: period.start },
      counter: { used: 97, reserved: 1, limit: 100, carried: 0 },
      counterfactual: { allowedQuantity: 2, plan: 'team', override: { limit: 103 } },
      idempotencyKey: 'export-1',
      service: null,
      correlationId: null,
    }
    server.answer('listDecisions', { data: [decision] })
    server.answer('getDecision', {
      data: {
        ...decision,
        replay: { same: true, allowed: false, reason: 'limit_reached' },
        steps: [{ source: 'counter', decided: true, sentence: '97 of 100 exports used.', detail: {} }],
        wouldAllow: ['Change to Team.'],
      },
    })
    const { out: list } = await turnpike('decisions', 'northwind', '--refused', '--feature', 'exports')
    expect(list).toMatch(/exports +consume +5 +1 +denied: limit_reached +97 of 100, 1 held +decision_rZXhwb3J0LTE/)
    expect(server.asked[0]).toMatchObject({ query: { tenantId: 'northwind', feature: 'exports', outcome: 'refused' } })
    const { out } = await turnpike('decision', 'northwind', decision.id)
    expect(out).toMatch(/would have been allowed +2\n/)
    expect(out).toMatch(/made again +the same\n/)
    expect(out).toContain('> counter: 97 of 100 exports used.\nwould allow: Change to Team.\n')
  })

  test('another tenant than those that exist: not found, exit code 3', async () => {
    server.answer('getStatus', { problem: 'not_found' })
    const { code, error } = await turnpike('status', 'nobody')
    expect([code, error.split('\n')[0]]).toEqual([3, 'not_found: Nothing is known under this address.'])
  })
})

describe('webhooks and keys', () => {
  const entry = {
    id: '17',
    provider: 'stripe',
    eventId: 'evt_1',
    type: 'invoice.paid',
    objectId: null,
    providerCustomerId: null,
    tenantId: 'northwind',
    state: 'dead',
    outcome: null,
    attempts: 5,
    deliveries: 1,
    receivedAt: '2026-01-31T00:00:00Z',
    appliedAt: null,
    nextAttemptAt: null,
    lastError: 'no such price',
    traceId: null,
  }
  const key = {
    id: 'key_01j00000000000000000000000',
    name: 'CI',
    role: 'service',
    tenantId: null,
    permissions: null,
    prefix: 'tpk_abc',
    createdAt: '2026-01-31T00:00:00Z',
    expiresAt: null,
    revokedAt: null,
    lastUsedAt: null,
  }

  test('webhooks can be listed by state and replayed', async () => {
    server.answer('listWebhooks', { data: [entry] })
    expect((await turnpike('webhooks', 'list', '--state', 'dead', '--limit', '5')).out).toContain('no such price')
    expect(server.asked[0]?.query).toEqual({ state: 'dead', limit: '5' })
    server.answer('replayWebhook', { data: { ...entry, state: 'pending' } })
    expect((await turnpike('webhooks', 'replay', '17')).out).toContain('Webhook 17 will be worked on again.')
    expect(server.asked[1]?.params).toEqual({ webhookId: '17' })
  })

  test('one is shown with each try, and whether it cost an attempt', async () => {
    const errors = [
      { at: '2026-01-31T00:00:00Z', error: 'provider_unavailable', held: true },
      { at: '2026-01-31T00:05:00Z', error: 'provider_data_invalid', held: false },
    ]
    server.answer('getWebhook', {
      data: { ...entry, eventAt: null, correlationId: 'request_1', holds: 1, errors },
    })
    const { out } = await turnpike('webhooks', 'show', '17')
    expect(server.asked[0]?.params).toEqual({ webhookId: '17' })
    expect(out).toMatch(/provider_unavailable +no/)
    expect(out).toMatch(/provider_data_invalid +yes/)
  })

  test('dead letters of a time are replayed part by part until the end', async () => {
    const part = { dryRun: false, webhooks: { dead: 2 }, total: 2 }
    server.answer('replayWebhooks', { data: { ...part, cursor: null } })
    const words = ['--from', '2026-01-01T00:00:00Z', '--to', '2026-02-01T00:00:00Z', '--dead']
    expect((await turnpike('webhooks', 'replay', ...words)).out).toContain('2 webhooks will be worked on again.')
    expect(server.asked[0]?.body).toEqual({
      from: '2026-01-01T00:00:00Z',
      to: '2026-02-01T00:00:00Z',
      states: ['dead'],
    })
    server.answer('replayWebhooks', { data: { ...part, dryRun: true, cursor: null } })
    expect((await turnpike('webhooks', 'replay', '--object', 'in_1', '--dry-run')).out).toContain('would be')
    expect(server.asked[1]?.body).toEqual({ objectId: 'in_1', dryRun: true })
  })

  test('a replay that names nothing, or an id and more, is wrong use, and nobody is asked', async () => {
    expect((await turnpike('webhooks', 'replay')).code).toBe(2)
    expect((await turnpike('webhooks', 'replay', '--dry-run')).code).toBe(2)
    expect((await turnpike('webhooks', 'replay', '17', '--dead')).code).toBe(2)
    expect(server.asked).toEqual([])
  })

  test('an unknown state or a strange limit is wrong use, and nobody is asked', async () => {
    expect((await turnpike('webhooks', 'list', '--state', 'lost')).code).toBe(2)
    expect((await turnpike('webhooks', 'list', '--limit', '0')).code).toBe(2)
    expect(server.asked).toEqual([])
  })

  test('a created key is shown once, with its secret; listing shows none', async () => {
    server.answer('createApiKey', { data: { ...key, key: 'tpk_abcdef' } })
    const words = ['--name', 'CI', '--role', 'service', '--permission', 'billing:usage:write', 'billing:usage:read']
    expect((await turnpike('keys', 'create', ...words)).out).toContain('tpk_abcdef\nThis is the only time')
    expect(server.asked[0]?.body).toEqual({
      name: 'CI',
      role: 'service',
      permissions: ['billing:usage:write', 'billing:usage:read'],
    })
    server.answer('listApiKeys', { data: [key] })
    expect((await turnpike('keys', 'list')).out).toContain('tpk_abc…')
    server.answer('revokeApiKey', { data: { ...key, revokedAt: '2026-02-01T00:00:00Z' } })
    expect((await turnpike('keys', 'revoke', key.id)).out).toContain(`Key ${key.id} is revoked.`)
  })
})

test('events tail prints events until it is interrupted, one JSON document a line when asked', async () => {
  const event = (n: number) => ({
    specversion: '1.0',
    id: `event_01j0000000000000000000000${n}`,
    source: 'turnpike',
    type: 'customer.updated',
    subject: 'customer_1',
    time: '2026-01-31T00:00:00Z',
    datacontenttype: 'application/json',
    dataschema: 'x',
    tenantid: 'northwind',
    sequence: n,
    position: `${n}`,
    correlationid: null,
    data: { name: 'A' },
  })
  server.answer('streamEvents', { events: [event(1), event(2)] })
  const untilBoth = (out: string, end: () => void) => {
    if (out.split('\n').length > 2) end()
  }
  const environment = { TURNPIKE_URL: server.url, TURNPIKE_KEY: 'tpk_test' }
  const tailed = await turnpikeIn(['events', 'tail', '--json', '--tenant', 'northwind'], {
    environment,
    onOutput: untilBoth,
  })
  expect(tailed.code).toBe(0)
  expect(
    tailed.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).sequence),
  ).toEqual([1, 2])
  expect(server.asked[0]).toMatchObject({ route: 'streamEvents', query: { tenantId: 'northwind' } })
})

describe('where and who', () => {
  const demonstration = (content: object, data = '.turnpike') => {
    mkdirSync(join(folder, data), { recursive: true })
    file(join(data, 'demo.json'), JSON.stringify(content))
  }
  beforeEach(() => server.answer('listCatalogHistory', { data: [] }))

  test('without settings the demonstration is asked with its operator key', async () => {
    demonstration({ apiUrl: server.url, operatorKey: 'tpk_demo' })
    expect((await turnpikeIn(['catalog', 'history'], { environment: {} })).code).toBe(0)
    expect(server.asked[0]?.credential).toBe('Bearer tpk_demo')
  })

  test('the data folder can lie elsewhere', async () => {
    demonstration({ apiUrl: server.url, operatorKey: 'tpk_demo' }, 'elsewhere')
    expect((await turnpikeIn(['catalog', 'history'], { environment: { TURNPIKE_DATA_DIR: 'elsewhere' } })).code).toBe(0)
  })

  test('the demonstration key is not sent to another server', async () => {
    demonstration({ apiUrl: 'http://127.0.0.1:1', operatorKey: 'tpk_demo' })
    const { code, error } = await turnpikeIn(['catalog', 'history', '--server', server.url], { environment: {} })
    expect([code, error.includes('set TURNPIKE_KEY')]).toEqual([2, true])
    expect(server.asked).toEqual([])
  })

  test('TURNPIKE_KEY comes before the demonstration key', async () => {
    demonstration({ apiUrl: server.url, operatorKey: 'tpk_demo' })
    await turnpikeIn(['catalog', 'history'], { environment: { TURNPIKE_KEY: 'tpk_mine' } })
    expect(server.asked[0]?.credential).toBe('Bearer tpk_mine')
  })

  test('a server that is not there: exit code 4', async () => {
    const { code, error } = await turnpikeIn(['catalog', 'history', '--server', 'http://127.0.0.1:1'], {
      environment: { TURNPIKE_KEY: 'x' },
    })
    expect([code, error.startsWith('network_failure: ')]).toEqual([4, true])
  })

  test('an unknown command and a server that is no address: exit code 2', async () => {
    expect((await turnpike('catalogue')).code).toBe(2)
    expect((await turnpike('catalog', 'history', '--server', 'nowhere')).code).toBe(2)
    expect((await turnpike('--help')).code).toBe(0)
  })
})
