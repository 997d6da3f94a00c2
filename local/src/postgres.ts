import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { binariesFor, clusterFolderFor, giveTo, type PostgresAccount, postgresAccount } from './postgres-account.ts'
import { inspectProcess } from './process-table.ts'

export type PostgresOptions = {
  /** Folder that keeps the cluster, its password and its log. Made when missing; found again by the next start. */
  dataDir: string
  /** 0 or undefined: a free port. */
  port?: number
  /** Server settings, such as `{ fsync: 'off' }`. */
  settings?: Record<string, string>
  /** Forces one way of running without root rights. Only tests need it: left out, the first way that works is taken. */
  account?: PostgresAccount['kind']
}

export type Postgres = {
  /**
   * Connects as the owner of everything, to the database `turnpike`: by the Unix socket, which costs 40 % less of the processor
   * than a connection to a port, or by the port where the folder's name is too long for a socket.
   */
  url: string
  port: number
  pid: number
  /** Settles when the server process has ended, for whatever reason. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** `fast` ends sessions and writes a checkpoint; `immediate` is a crash that the next start recovers from. A repeat waits for the first. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>
}

/**
 * Runs the real PostgreSQL server whose binaries come from npm: on 127.0.0.1 and a Unix socket inside its own folder, with a
 * generated password on both. Works as root too, in a folder that only root can enter. The server ends when this process ends,
 * also by `kill -9`; it does not take the terminal's Ctrl-C, so that whoever uses it can close first.
 * Throws when another living process runs a server on the same folder, with the server's own words when it cannot start.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 })
  const dataDir = realpathSync(options.dataDir)
  const account = postgresAccount(options.account)
  const binaries = await binariesFor(account)
  const cluster = clusterFolderFor(account, dataDir)
  const password = keptPassword(dataDir)
  await stopLeftover(dataDir, cluster)
  if (!existsSync(join(cluster, 'PG_VERSION'))) initialise(account, binaries, cluster, password)
  refuseOtherVersion(cluster)
  giveTo(account, cluster)

  const { child, port } = await launch(account, binaries, dataDir, cluster, options)
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null)
      resolve({ code: child.exitCode, signal: child.signalCode })
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  const watchdog = stopWithThisProcess(child.pid!)
  const socket = socketFolderOf(cluster)
  const host = socket === '' ? '127.0.0.1' : encodeURIComponent(socket)
  const address = `postgresql://turnpike:${password}@${host}:${port}`

  async function stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    child.ref()
    watchdog.kill('SIGKILL')
    const escalation: [NodeJS.Signals, number][] =
      mode === 'fast'
        ? [
            ['SIGINT', 20_000],
            ['SIGQUIT', 5_000],
          ]
        : [['SIGQUIT', 5_000]]
    for (const [signal, patienceMs] of escalation) {
      child.kill(signal)
      if (await settlesWithin(exited, patienceMs)) return
    }
    child.kill('SIGKILL')
    await exited
  }

  try {
    await ensureDatabase(`${address}/postgres`)
  } catch (error) {
    await stop('immediate')
    throw error
  }
  return { url: `${address}/turnpike`, port, pid: child.pid!, exited, stop }
}

/** The cluster's own folder, which nobody else can enter; nothing where a socket's path would be longer than systems allow. */
function socketFolderOf(cluster: string): string {
  return Buffer.byteLength(join(cluster, '.s.PGSQL.65535.lock')) <= 100 ? cluster : ''
}

function keptPassword(dataDir: string): string {
  const file = join(dataDir, 'password')
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 })
  return readFileSync(file, 'utf8').trim()
}

function initialise(account: PostgresAccount, binaries: string, cluster: string, password: string): void {
  // Built beside and renamed, so that an interrupted start never leaves half a cluster that looks whole.
  const unfinished = `${cluster}.unfinished`
  const passwordFile = `${cluster}.password`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { mode: 0o700 })
  giveTo(account, unfinished)
  rmSync(passwordFile, { force: true })
  writeFileSync(passwordFile, password, { mode: 0o600 })
  giveTo(account, passwordFile)
  const { file, args, options } = account.command(join(binaries, 'bin', 'initdb'), [
    ...['-D', unfinished, '--username=turnpike', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8'],
    // The built-in locale sorts alike on every machine, whatever languages are installed there.
    ...['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions', '--no-sync'],
  ])
  const result = spawnSync(file, args, { ...options, encoding: 'utf8', env: serverEnvironment() })
  rmSync(passwordFile)
  if (result.status !== 0) {
    throw new Error(`PostgreSQL could not make its data folder ${cluster}: ${result.stderr || result.error}`)
  }
  renameSync(unfinished, cluster)
}

function refuseOtherVersion(cluster: string): void {
  const version = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim()
  if (version !== '18') {
    throw new Error(
      `${cluster} was made by PostgreSQL ${version}, and this is 18. Dump it there and restore it, or name another folder.`,
    )
  }
}

async function launch(
  account: PostgresAccount,
  binaries: string,
  dataDir: string,
  cluster: string,
  options: PostgresOptions,
): Promise<{ child: ChildProcess; port: number }> {
  const log = join(dataDir, 'server.log')
  const deadline = Date.now() + 15_000
  for (;;) {
    const port = options.port || (await freePort())
    const child = spawnServer(account, binaries, cluster, log, { ...options.settings, port: String(port) })
    if (await becomesReady(child, cluster)) {
      writeFileSync(join(dataDir, 'owner.pid'), String(process.pid))
      return { child, port }
    }
    const words = readFileSync(log, 'utf8')
    // Sessions of a server that was killed need a moment to notice; a free port may be taken between looking and listening.
    const passing =
      /pre-existing shared memory block/.test(words) || (!options.port && /Address already in use/.test(words))
    if (passing && Date.now() < deadline) {
      await delay(50)
      continue
    }
    if (/Address already in use/.test(words))
      throw new Error(`PostgreSQL cannot listen on 127.0.0.1:${port}: the port is in use`)
    throw new Error(`PostgreSQL did not start (${log}): ${words.split('\n').slice(-12).join('\n').trim()}`)
  }
}

function spawnServer(
  account: PostgresAccount,
  binaries: string,
  cluster: string,
  log: string,
  settings: Record<string, string>,
): ChildProcess {
  const all = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: socketFolderOf(cluster),
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...settings,
  }
  const { file, args, options } = account.command(join(binaries, 'bin', 'postgres'), [
    ...['-D', cluster],
    ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ])
  const output = openSync(log, 'w', 0o600)
  // Its own process group: Ctrl-C in the terminal reaches the service, which still needs the database to finish.
  const child = spawn(file, args, {
    ...options,
    detached: true,
    stdio: ['ignore', output, output],
    env: serverEnvironment(),
  })
  closeSync(output)
  child.once('error', () => {})
  child.unref()
  return child
}

/** Nothing of the caller's environment decides how the server runs: PGDATA, PGPORT or a locale would. */
function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, TZ: 'UTC', LC_ALL: 'C' }
}

async function becomesReady(child: ChildProcess, cluster: string): Promise<boolean> {
  // Recovery after a crash may take long; as long as the server lives, it is on its way.
  while (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    const lines = readLines(join(cluster, 'postmaster.pid'))
    if (lines[0] === String(child.pid) && lines[7]?.trim() === 'ready') return true
    await delay(5)
  }
  return false
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch {
    return []
  }
}

/** Makes room for a start: stops a server whose owner died, removes a pid file whose number now belongs to another program. */
async function stopLeftover(dataDir: string, cluster: string): Promise<void> {
  const file = join(cluster, 'postmaster.pid')
  const pid = Number(readLines(file)[0])
  if (!pid) return
  const found = inspectProcess(pid)
  // Nobody has that number: the server itself clears the file, after checking for sessions that still hold its memory.
  if (!found) return
  if (!found.command.includes(cluster)) {
    rmSync(file)
    // The socket's lock names the same number.
    for (const name of readdirSync(cluster)) if (name.startsWith('.s.PGSQL.')) rmSync(join(cluster, name))
    return
  }
  const owner = Number(readLines(join(dataDir, 'owner.pid'))[0])
  if (found.parent === owner) {
    throw new Error(
      `The database in ${dataDir} is already running (process ${pid}, started by process ${owner}). Stop that one first.`,
    )
  }
  process.kill(pid, 'SIGINT')
  const deadline = Date.now() + 20_000
  while (inspectProcess(pid)?.command.includes(cluster)) {
    if (Date.now() > deadline)
      throw new Error(`A PostgreSQL left over from an earlier run (process ${pid}) does not stop.`)
    await delay(20)
  }
}

/** A shell that waits for this process to end, however it ends, and then asks the server to stop. */
function stopWithThisProcess(pid: number): ChildProcess {
  const watchdog = spawn('/bin/sh', ['-c', 'read -r _; kill -INT "$0" 2>/dev/null', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watchdog.once('error', () => {})
  watchdog.stdin?.once('error', () => {})
  watchdog.unref()
  ;(watchdog.stdin as unknown as { unref(): void }).unref()
  return watchdog
}

async function ensureDatabase(url: string): Promise<void> {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  try {
    const found = await client.query("select 1 from pg_database where datname = 'turnpike'")
    if (found.rowCount === 0) await client.query('create database turnpike')
  } finally {
    await client.end()
  }
}

async function settlesWithin(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const timer = new AbortController()
  try {
    return await Promise.race([
      promise.then(() => true),
      delay(timeoutMs, false, { signal: timer.signal }).catch(() => false),
    ])
  } finally {
    timer.abort()
  }
}

/** A port of 127.0.0.1 that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
