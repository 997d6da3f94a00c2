import type { ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { inspectProcess } from '../src/process-table.ts'
import { createTestDatabase } from '../src/test-database.ts'
import { end, type Running, npmStart as startProgram, untilRunning } from './npm-start.ts'
import { until } from './until.ts'

let dataDir: string
const started: ChildProcess[] = []

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'turnpike-start-'))
  // Passable, so that the database is inside however it runs: that is how its processes are found.
  chmodSync(folder, 0o711)
  dataDir = join(folder, 'data')
  mkdirSync(dataDir, { mode: 0o711 })
})

afterEach(async () => {
  for (const child of started.splice(0)) await end(child, 'SIGTERM')
})

afterAll(() => {
  rmSync(dirname(dataDir), { recursive: true, force: true })
})

function npmStart(environment: Record<string, string> = {}, command?: [string, ...string[]]): Running {
  const running = startProgram(environment.TURNPIKE_DATA_DIR ?? dataDir, environment, command)
  started.push(running.child)
  return running
}

/** Every process that works for this data folder: the database, the sandbox and the service carry it in their command or environment. */
function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && mentions(pid, folder))
}

function mentions(pid: number, folder: string): boolean {
  try {
    return [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`].some((file) => readFileSync(file, 'utf8').includes(folder))
  } catch {
    return false
  }
}

async function get(url: string, key: string): Promise<{ status: number; body: { data: Record<string, unknown> } }> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${key}` } })
  return { status: response.status, body: (await response.json()) as { data: Record<string, unknown> } }
}

test('it starts everything, writes demo.json, leaves no process behind, and finds its data again', {
  timeout: 300_000,
}, async () => {
  const first = npmStart()
  const before = await untilRunning(first)
  expect(Object.keys(before).sort()).toEqual([
    'apiUrl',
    'consoleUrl',
    'gatewayKey',
    'memberToken',
    'operatorKey',
    'otherOwnerToken',
    'otherTenantId',
    'ownerToken',
    'sandboxUrl',
    'serviceKey',
    'tenantId',
  ])
  expect(statSync(join(dataDir, 'demo.json')).mode & 0o777).toBe(0o600)
  expect((await fetch(before.consoleUrl)).status).toBe(200)
  for (const [key, role, tenantId] of [
    [before.operatorKey, 'operator', null],
    [before.serviceKey, 'service', null],
    [before.gatewayKey, 'gateway', null],
    [before.ownerToken, 'owner', before.tenantId],
    [before.memberToken, 'member', before.tenantId],
    [before.otherOwnerToken, 'owner', before.otherTenantId],
  ] as const) {
    expect((await get(`${before.apiUrl}/api/v1/session`, key)).body.data).toMatchObject({ role, tenantId })
  }
  const customers = await get(`${before.apiUrl}/api/v1/customers`, before.operatorKey)

  expect(await end(first.child, 'SIGTERM')).toBe(0)
  expect(first.text()).toContain('Stopped.')
  expect(processesOf(dataDir)).toEqual([])

  const second = npmStart()
  const after = await untilRunning(second)
  expect(after).toMatchObject({
    tenantId: before.tenantId,
    serviceKey: before.serviceKey,
    gatewayKey: before.gatewayKey,
    operatorKey: before.operatorKey,
  })
  expect((await get(`${after.apiUrl}/api/v1/customers`, after.operatorKey)).body.data).toEqual(customers.body.data)
  expect(await end(second.child, 'SIGINT')).toBe(0)
  expect(processesOf(dataDir)).toEqual([])
})

test('it stops with the reason, and takes the rest along, when one part ends', async () => {
  const running = npmStart()
  await untilRunning(running)
  const service = processesOf(dataDir).find((pid) => inspectProcess(pid)?.command.includes('server/src/main.ts'))
  const exit = new Promise((resolve) => running.child.once('exit', resolve))
  process.kill(service!, 'SIGKILL')
  expect(await exit).toBe(1)
  expect(running.text()).toContain('Turnpike stopped: The service ended (SIGKILL)')
  expect(processesOf(dataDir)).toEqual([])
})

test('kill -9 leaves no process behind either', async () => {
  const running = npmStart()
  await untilRunning(running)
  await end(running.child, 'SIGKILL')
  await until(() => processesOf(dataDir).length === 0)
})

test('another database and another provider take the place of its own', async () => {
  const database = await createTestDatabase({ template: { name: 'template_empty', build: async () => {} } })
  const other = mkdtempSync(join(tmpdir(), 'turnpike-start-other-'))
  try {
    const running = npmStart({
      TURNPIKE_DATA_DIR: other,
      DATABASE_URL: database.url,
      STRIPE_SECRET_KEY: 'sk_test_other',
      STRIPE_WEBHOOK_SECRET: 'whsec_other_0123456789',
      STRIPE_API_BASE: 'http://127.0.0.1:9',
    })
    await until(() => running.child.exitCode !== null || running.text().includes('Press Ctrl-C to stop'))
    expect(running.child.exitCode, running.text()).toBeNull()
    expect(JSON.parse(readFileSync(join(other, 'demo.json'), 'utf8'))).toMatchObject({ sandboxUrl: null })
    expect(existsSync(join(other, 'postgres'))).toBe(false)
    expect(await end(running.child, 'SIGTERM')).toBe(0)
  } finally {
    await database.drop()
    rmSync(other, { recursive: true, force: true })
  }
})

test('SIGTERM to npm itself leaves no process behind, although npm does not pass it on', async () => {
  const running = npmStart({}, ['npm', 'start'])
  await untilRunning(running)
  await end(running.child, 'SIGTERM')
  await until(() => processesOf(dataDir).length === 0)
})

test('a stop in the middle of starting leaves no process behind', async () => {
  const running = npmStart()
  await until(() => processesOf(dataDir).some((pid) => inspectProcess(pid)?.command.includes('bin/postgres')))
  expect(await end(running.child, 'SIGTERM')).toBe(0)
  expect(processesOf(dataDir)).toEqual([])
})

test('a port in use is a clear error, and nothing is started', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const refused = npmStart({ PORT: String(port), TURNPIKE_DATA_DIR: join(dataDir, 'never') })
  expect(await new Promise((resolve) => refused.child.once('close', resolve))).toBe(1)
  server.close()
  expect(refused.text()).toContain(`PORT is ${port}, and another program listens there`)
  expect(existsSync(join(dataDir, 'never'))).toBe(false)
})
