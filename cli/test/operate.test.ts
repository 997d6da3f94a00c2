import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSandbox } from '@turnpike/sandbox'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startService } from '../../server/test/support/service.ts'
import { runTurnpike } from './support/turnpike.ts'

const acme = readFileSync(new URL('../../catalog/acme.yaml', import.meta.url), 'utf8')

let sandbox: Awaited<ReturnType<typeof startSandbox>>
let service: Awaited<ReturnType<typeof startService>>
let folder: string
beforeAll(async () => {
  sandbox = await startSandbox({ port: 0 })
  service = await startService({ env: { STRIPE_API_BASE: sandbox.url } })
  folder = mkdtempSync(join(tmpdir(), 'turnpike-operate-'))
})
afterAll(async () => {
  await service.stop()
  await sandbox.close()
  rmSync(folder, { recursive: true })
})

const turnpike = (...words: string[]) =>
  runTurnpike(words, {
    environment: { TURNPIKE_URL: service.app.url, TURNPIKE_KEY: service.operatorKey },
    cwd: folder,
  })

test('a price is changed from the file to the provider, with a look before each step', async () => {
  writeFileSync(join(folder, 'acme.yaml'), acme.replace('baseline: free', 'baseline: fre'))
  const line = acme.split('\n').findIndex((text) => text.startsWith('baseline:')) + 1
  const mistaken = await turnpike('catalog', 'validate', 'acme.yaml')
  expect(mistaken).toMatchObject({ code: 1, error: '' })
  expect(mistaken.out).toContain(
    `acme.yaml:${line}:11 baseline: There is no plan "fre"; perhaps "free" is meant.\n1 mistake.\n`,
  )

  writeFileSync(join(folder, 'acme.yaml'), acme.replace('USD: 4900,', 'USD: 5900,'))
  expect(await turnpike('catalog', 'validate', 'acme.yaml')).toMatchObject({ code: 0 })
  const planned = await turnpike('catalog', 'plan', 'acme.yaml', '-o', 'plan.json')
  expect(planned).toMatchObject({ code: 0, error: '' })
  expect(planned.out).toContain('~ Plan "pro" changes in prices.')

  expect(await turnpike('catalog', 'apply', 'acme.yaml', '--plan', 'plan.json', '--reason', 'New year')).toMatchObject({
    code: 0,
    out: expect.stringContaining('Catalog 2 is in force'),
  })
  expect((await turnpike('catalog', 'diff')).code).toBe(1)
  expect((await turnpike('catalog', 'push')).out).toContain('0 updated')
  expect(await turnpike('catalog', 'diff')).toEqual({ code: 0, out: 'Catalog and provider agree.\n', error: '' })
  const history = JSON.parse((await turnpike('catalog', 'history', '--json')).out)
  expect(history.map((each: { plans: Record<string, number> }) => each.plans.pro)).toEqual([2, 1])

  writeFileSync(join(folder, 'acme.yaml'), acme.replace('USD: 4900,', 'USD: 6900,'))
  const stale = await turnpike('catalog', 'apply', 'acme.yaml', '--plan', 'plan.json')
  expect([stale.code, stale.error.split(':')[0]]).toEqual([3, 'catalog_stale'])
})

test('a file of past usage is brought in, and said again it goes on or tells that it is done', async () => {
  await service.customer('importer')
  const at = service.clock.now().subtract({ hours: 24 }).toString()
  // Longer than one piece, with a line break within quotes here and there.
  const rows = Array.from({ length: 9_000 }, (_, n) => `${at},${n % 2},"note${n % 7 ? '' : '\n'}${'x'.repeat(60)}"`)
  writeFileSync(join(folder, 'past.csv'), ['when,n,note', ...rows, 'never,1,x'].join('\n'))
  const words = ['--tenant', 'importer', '--meter', 'api_calls', '--column', 'at=when', '--column', 'quantity=n']
  const first = await turnpike('usage', 'import', 'past.csv', ...words)
  expect(first).toMatchObject({ code: 1, error: '' })
  expect(first.out).toMatch(/100\.0% {2}9000 accepted, 0 duplicates, 1 invalid/)
  expect(first.out.match(/%/g)!.length).toBeGreaterThan(2)
  expect(first.out).toMatch(/line \d+: time_invalid/)
  const again = await turnpike('usage', 'import', 'past.csv', ...words)
  expect(again.out).toMatch(/state +done\n.*accepted +9000/s)
  const { data } = await service.operator.getUsage({ query: { tenantId: 'importer' } })
  expect(data.meters.find(({ meter }) => meter === 'api_calls')!.used).toBeGreaterThan(0)
  expect((await turnpike('usage', 'imports', '--tenant', 'importer')).out).toMatch(/past\.csv.*done.*9000/)
  expect((await turnpike('usage', 'import', 'missing.csv', ...words)).code).toBe(2)
  const key = JSON.parse(
    (await turnpike('usage', 'records', '--tenant', 'importer', '--meter', 'api_calls', '--limit', '2', '--json')).out,
  )[1].idempotencyKey
  const because = ['--tenant', 'importer', '--reason', 'counted twice']
  expect((await turnpike('usage', 'correct', key, ...because, '--quantity', '7')).out).toContain('counts 7 instead of')
  expect((await turnpike('usage', 'correct', key, ...because)).code).toBe(2)
  expect((await turnpike('usage', 'records', '--tenant', 'importer', '--key', key)).out).toMatch(/amend import:/)
  expect((await turnpike('usage', 'history', 'importer', 'api_calls')).out).toMatch(/ 450[67]\n/)
  expect((await turnpike('usage', 'import', 'past.csv', '--column', 'when')).code).toBe(2)
})

test('a customer is looked at: status, usage, and why something is allowed', async () => {
  await service.customer('northwind')
  expect((await turnpike('status', 'northwind')).out).toMatch(/plan +Free \(free version 1\)/)
  expect((await turnpike('usage', 'northwind')).out).toMatch(/api_calls +0 +1000 +1000/)
  const explained = await turnpike('explain', 'northwind', 'sso')
  expect([explained.code, /allowed +no/.test(explained.out)]).toEqual([0, true])
  expect((await turnpike('status', 'nobody')).code).toBe(3)
})

test('a key is made, listed and revoked; webhooks are listed', async () => {
  const made = await turnpike('keys', 'create', '--name', 'CI', '--role', 'auditor', '--json')
  const { id, key } = JSON.parse(made.out)
  expect(key).toMatch(/^tpk_/)
  expect((await turnpike('keys', 'list')).out).toContain(id)
  expect((await turnpike('keys', 'list')).out).not.toContain(key)
  expect((await turnpike('keys', 'revoke', id)).code).toBe(0)
  expect((await turnpike('keys', 'list')).out).toMatch(new RegExp(`${id}.*revoked`))
  expect((await turnpike('webhooks', 'list')).code).toBe(0)
  expect((await turnpike('webhooks', 'replay', '999999')).error).toMatch(/^not_found/)
})

test('reconciliation by command: progress, findings, a decision, and exit codes that scripts can use', async () => {
  expect(await turnpike('catalog', 'push')).toMatchObject({ code: 0 })
  const customer = await service.customer('drifting')
  expect(customer).toMatch(/^customer_/)
  expect(await turnpike('reconcile', '--watch')).toMatchObject({ error: '', out: expect.stringContaining(': done.') })
  await fetch(`${sandbox.url}/v1/products/acme_starter`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk_test_x', 'content-type': 'application/x-www-form-urlencoded' },
    body: 'name=Renamed by hand',
  })
  const differing = await turnpike('reconcile')
  expect(differing.code).toBe(1)
  expect(differing.out).toContain('catalog_differs')
  const listed = await turnpike('--json', 'findings', 'list')
  expect(listed.code).toBe(1)
  const [finding] = JSON.parse(listed.out) as { id: string; object: string }[]
  expect(finding?.object).toBe('product acme_starter name')
  expect(await turnpike('findings', 'show', finding!.id)).toMatchObject({
    code: 1,
    out: expect.stringContaining('Renamed by hand'),
  })
  expect((await turnpike('findings', 'repair', finding!.id)).code).toBe(2)
  expect(await turnpike('findings', 'repair', finding!.id, '--reason', 'by mistake')).toMatchObject({
    code: 0,
    out: expect.stringContaining('catalog_differs (repaired)'),
  })
  expect(await turnpike('findings', 'list')).toMatchObject({ code: 0, out: 'No findings.\n' })
  expect((await turnpike('findings', 'dismiss', finding!.id, '--reason', 'too late')).code).toBe(3)
})
