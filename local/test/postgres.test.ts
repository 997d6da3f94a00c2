import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Postgres, startPostgres } from '../src/postgres.ts'
import { inspectProcess } from '../src/process-table.ts'
import { until } from './until.ts'

const isRoot = process.getuid?.() === 0
const asOrdinaryUser = ['unshare', '--user', '--map-user=65534', '--map-group=65534']
const canBecomeOrdinary = isRoot && spawnSync(asOrdinaryUser[0]!, [...asOrdinaryUser.slice(1), 'true']).status === 0
let folder: string
let running: Postgres[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnpike-postgres-'))
  // Passable, so that the data is inside however the server runs.
  chmodSync(folder, 0o711)
  running = []
})

afterEach(async () => {
  for (const postgres of running) await postgres.stop('immediate')
  discard(join(folder, 'closed/data'))
  rmSync(folder, { recursive: true, force: true })
})

function discard(dataDir: string): void {
  const reminder = join(dataDir, 'cluster-folder')
  if (existsSync(reminder)) rmSync(readFileSync(reminder, 'utf8'), { recursive: true, force: true })
  rmSync(dataDir, { recursive: true, force: true })
}

async function start(options: Partial<Parameters<typeof startPostgres>[0]> = {}): Promise<Postgres> {
  const postgres = await startPostgres({ dataDir: join(folder, 'data'), ...options })
  running.push(postgres)
  return postgres
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query({ text, rowMode: 'array' })).rows.flat()
  } finally {
    await client.end()
  }
}

test('a second start finds the data of the first', async () => {
  const first = await start()
  await query(first.url, 'create table kept as select 42 as answer')
  await first.stop()
  const second = await start({ port: first.port })
  expect(second.url).toBe(first.url)
  expect(await query(second.url, 'select answer from kept')).toEqual([42])
})

test('a stop ends every process, and a repeated stop is fine', async () => {
  const postgres = await start()
  await postgres.stop()
  await postgres.stop()
  expect(inspectProcess(postgres.pid)).toBeUndefined()
})

test('it listens on 127.0.0.1 and in its own folder alone, asks for the password and keeps it from other users', async () => {
  const { url, port } = await start()
  const inside = join(folder, 'data/cluster')
  expect(
    await query(url, "select current_setting('listen_addresses'), current_setting('unix_socket_directories')"),
  ).toEqual(['127.0.0.1', inside])
  expect(statSync(inside).mode & 0o777).toBe(0o700)
  const { password } = new URL(url)
  for (const host of [encodeURIComponent(inside), '127.0.0.1']) {
    const at = (secret: string) => `postgresql://turnpike:${secret}@${host}:${port}/turnpike`
    expect(await query(at(password), 'select 1')).toEqual([1])
    await expect(query(at('guess'), 'select 1')).rejects.toMatchObject({ code: '28P01' })
  }
  expect(statSync(join(folder, 'data/password')).mode & 0o777).toBe(0o600)
})

test('in a folder whose name is too long for a socket it is reached by its port', async () => {
  const { url } = await start({ dataDir: join(folder, 'long'.repeat(20)) })
  expect(new URL(url).hostname).toBe('127.0.0.1')
  expect(await query(url, 'select 1')).toEqual([1])
})

test('settings reach the server', async () => {
  const { url } = await start({ settings: { fsync: 'off' } })
  expect(await query(url, 'show fsync')).toEqual(['off'])
})

test('after kill -9 the next start recovers what was committed', async () => {
  const first = await start()
  await query(first.url, 'create table kept as select 42 as answer')
  process.kill(first.pid, 'SIGKILL')
  expect(await first.exited).toMatchObject({ signal: 'SIGKILL' })
  const second = await start()
  expect(await query(second.url, 'select answer from kept')).toEqual([42])
})

test('a stop in immediate mode loses nothing that was committed', async () => {
  const first = await start()
  await query(first.url, 'create table kept as select 42 as answer')
  await first.stop('immediate')
  const second = await start()
  expect(await query(second.url, 'select answer from kept')).toEqual([42])
})

test('a pid file whose number now belongs to another program does not stop a start', async () => {
  const first = await start()
  const pidFile = join(folder, 'data/cluster/postmaster.pid')
  const words = readFileSync(pidFile, 'utf8')
  await first.stop()
  const other = spawn('sleep', ['600'], { stdio: 'ignore' })
  try {
    writeFileSync(pidFile, words.replace(/^\d+/, String(other.pid)), { mode: 0o600 })
    const second = await start()
    expect(await query(second.url, 'select 1')).toEqual([1])
  } finally {
    other.kill()
  }
})

test('a start that was interrupted while it made the cluster is taken up again', async () => {
  mkdirSync(join(folder, 'data/cluster.unfinished/base'), { recursive: true })
  const { url } = await start()
  expect(await query(url, 'select 1')).toEqual([1])
})

test('a folder that a living process already serves is refused, and its server stays up', async () => {
  const first = await start()
  await expect(start()).rejects.toThrow(/already running \(process \d+, started by process \d+\)/)
  expect(await query(first.url, 'select 1')).toEqual([1])
})

test('a port in use is named', async () => {
  const first = await start()
  await expect(startPostgres({ dataDir: join(folder, 'other'), port: first.port })).rejects.toThrow(
    `PostgreSQL cannot listen on 127.0.0.1:${first.port}: the port is in use`,
  )
})

test('the server ends with the process that started it, also by kill -9, and the next start takes over', async () => {
  const owner = startElsewhere([process.execPath])
  const { pid, url } = await firstLine(owner)
  await query(url, 'create table kept as select 42 as answer')
  const ended = new Promise((resolve) => owner.once('exit', resolve))
  owner.kill('SIGKILL')
  await ended
  const second = await start()
  expect(await query(second.url, 'select answer from kept')).toEqual([42])
  await until(() => inspectProcess(pid) === undefined)
})

test.skipIf(!isRoot)('root runs it in a folder that only root can enter', async () => {
  mkdirSync(join(folder, 'closed'), { mode: 0o700 })
  const { url } = await start({ dataDir: join(folder, 'closed/data') })
  expect(await query(url, 'select 1')).toEqual([1])
})

test.skipIf(!canBecomeOrdinary)('with user namespaces the data of root stays in the closed folder', async () => {
  mkdirSync(join(folder, 'closed'), { mode: 0o700 })
  await start({ dataDir: join(folder, 'closed/data'), account: 'namespace' })
  expect(existsSync(join(folder, 'closed/data/cluster/PG_VERSION'))).toBe(true)
})

test.skipIf(!isRoot)(
  'without them root runs it as another user, with the data elsewhere, and finds it again',
  async () => {
    mkdirSync(join(folder, 'closed'), { mode: 0o700 })
    const dataDir = join(folder, 'closed/data')
    const first = await start({ dataDir, account: 'other_user' })
    expect(statSync(`/proc/${first.pid}`).uid).not.toBe(0)
    await query(first.url, 'create table kept as select 42 as answer')
    await first.stop()
    expect(readFileSync(join(dataDir, 'cluster-folder'), 'utf8').startsWith(folder)).toBe(false)
    const second = await start({ dataDir, account: 'other_user' })
    expect(await query(second.url, 'select answer from kept')).toEqual([42])
    await second.stop()
    const third = await start({ dataDir })
    expect(await query(third.url, 'select answer from kept')).toEqual([42])
  },
)

test.skipIf(!canBecomeOrdinary)(
  'data in a closed folder moves along when user namespaces become forbidden',
  async () => {
    mkdirSync(join(folder, 'closed'), { mode: 0o700 })
    const dataDir = join(folder, 'closed/data')
    const first = await start({ dataDir, account: 'namespace' })
    await query(first.url, 'create table kept as select 42 as answer')
    await first.stop()
    const second = await start({ dataDir, account: 'other_user' })
    expect(await query(second.url, 'select answer from kept')).toEqual([42])
  },
)

test.skipIf(!isRoot)('a closed folder that was thrown away and made again starts empty', async () => {
  const dataDir = join(folder, 'closed/data')
  mkdirSync(join(folder, 'closed'), { mode: 0o700 })
  const first = await start({ dataDir, account: 'other_user' })
  await query(first.url, 'create table gone as select 42 as answer')
  await first.stop()
  discard(dataDir)
  const second = await start({ dataDir, account: 'other_user' })
  await expect(query(second.url, 'select answer from gone')).rejects.toMatchObject({ code: '42P01' })
})

test.skipIf(!isRoot)('data made in one way is served in the other', async () => {
  const first = await start()
  await query(first.url, 'create table kept as select 42 as answer')
  await first.stop()
  const second = await start({ account: 'other_user' })
  expect(await query(second.url, 'select answer from kept')).toEqual([42])
})

test.skipIf(!canBecomeOrdinary)('an ordinary user runs it plainly', async () => {
  // Root becomes an ordinary user in its own eyes, with the files that it may read.
  const owner = startElsewhere([...asOrdinaryUser, process.execPath])
  const { pid, url } = await firstLine(owner)
  expect(await query(url, 'select 1')).toEqual([1])
  expect(inspectProcess(pid)?.command).toMatch(/^\S+\/bin\/postgres -D/)
  owner.kill('SIGKILL')
  await until(() => inspectProcess(pid) === undefined)
})

function startElsewhere([file, ...args]: string[]): ChildProcess {
  const module = fileURLToPath(new URL('../src/postgres.ts', import.meta.url))
  const program = `
    import { startPostgres } from ${JSON.stringify(module)}
    const { pid, url } = await startPostgres({ dataDir: ${JSON.stringify(join(folder, 'data'))} })
    console.log(JSON.stringify({ pid, url }))
    process.stdin.resume()`
  return spawn(file!, [...args, '--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] })
}

async function firstLine(child: ChildProcess): Promise<{ pid: number; url: string }> {
  let text = ''
  for await (const part of child.stdout!) {
    text += part
    if (text.includes('\n')) return JSON.parse(text)
  }
  throw new Error(`ended without a word: ${text}`)
}
