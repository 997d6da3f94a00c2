import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findCounterDifferences } from '../../src/modules/usage/index.ts'
import { query, sql } from '../../src/platform/db.ts'
import { type Service, startService } from '../support/service.ts'

/**
 * A host product whose billing service comes and goes, and which is killed again and again: what it was told is exactly what
 * is counted (ENT-9, USE-2). The real client with its spool, HTTP over a line that breaks, the real service, PostgreSQL.
 */

let service: Service
let line: Awaited<ReturnType<typeof startLine>>
let folder: string
beforeAll(async () => {
  service = await startService()
  line = await startLine(Number(new URL(service.app.url).port))
  folder = mkdtempSync(join(tmpdir(), 'turnpike-spool-'))
})
afterAll(async () => {
  await line?.close()
  await service?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** What lies between the host and the service: whole, cut, or losing the answers to what it carried. */
type LineState = 'whole' | 'cut' | 'answers_lost'
const startLine = async (port: number) => {
  let state: LineState = 'whole'
  const sockets = new Set<Socket>()
  const server: Server = createServer((near) => {
    if (state === 'cut') return near.destroy()
    const far = connect(port, '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    near.pipe(far)
    far.on('data', (bytes) => (state === 'answers_lost' ? near.destroy() : near.write(bytes)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    become: (next: LineState) => {
      state = next
      if (next === 'cut') for (const socket of sockets) socket.destroy()
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** The same numbers for every run of the test. */
const numbersFrom = (seed: number) => () => {
  seed = (seed * 1_664_525 + 1_013_904_223) % 4_294_967_296
  return seed / 4_294_967_296
}

const states: LineState[] = ['whole', 'cut', 'whole', 'answers_lost', 'cut']

test('what a host was told is what is counted, however often it is killed and the line breaks', async () => {
  const tenantId = 'northwind'
  await service.customer(tenantId)
  for (const feature of ['api_calls', 'tokens'])
    await service.operator.createOverride({ body: { tenantId, feature, set: { limit: null }, reason: 'No limit' } })
  const credential = await service.keyOf('service')
  const random = numbersFrom(4)
  const told = new Map<string, string>()
  const dead: unknown[] = []

  const lives = 14
  for (let life = 0; life < lives; life++) {
    const isLast = life === lives - 1
    const dieAfter = isLast ? Number.POSITIVE_INFINITY : 1 + Math.floor(random() * 120)
    let heard = 0
    const host = fork(
      new URL('../../../client/test/support/spool-process.ts', import.meta.url),
      [line.url, credential, folder, tenantId, `life-${life}`],
      { silent: true },
    )
    const errors: string[] = []
    host.stderr!.on('data', (bytes) => errors.push(String(bytes)))
    const exited = once(host, 'exit')
    host.on('message', (message: { key?: string; told?: string; done?: true; dead?: unknown[] }) => {
      if (message.done) {
        dead.push(...message.dead!)
        host.disconnect()
        return
      }
      told.set(message.key!, message.told!)
      heard++
      if (heard % 20 === 0) line.become(isLast && heard > 100 ? 'whole' : states[Math.floor(random() * states.length)]!)
      // Once killed where it then is, and sometimes while it delivers what its forerunners left.
      if (heard >= dieAfter) host.kill('SIGKILL')
    })
    await exited
    expect(errors.filter((text) => text.includes('Error')).join('\n')).toBe('')
  }

  const counted = new Set(
    (
      await query<{ key: string }>(
        service.app.deps.db,
        sql`select idempotency_key as key from usage_records where tenant_id = ${tenantId}`,
      )
    ).map(({ key }) => key),
  )
  const seen = [...told.values()]
  // Both ways were gone often, or the test shows nothing.
  expect(seen.filter((status) => status === 'spooled').length).toBeGreaterThan(30)
  expect(seen.filter((status) => status === 'answered').length).toBeGreaterThan(30)
  expect(seen.filter((status) => status !== 'spooled' && status !== 'answered')).toEqual([])
  expect([...told.keys()].filter((key) => !counted.has(key))).toEqual([])
  expect(dead).toEqual([])
  // The counters say the same, each record once; what is counted beyond it was under way when its host was killed.
  expect(await findCounterDifferences(service.app.deps.db, 10)).toEqual([])
  const sums = await query<{ used: number }>(
    service.app.deps.db,
    sql`select sum(used)::float8 as used from usage_counters where tenant_id = ${tenantId} and span = 'period'`,
  )
  expect(sums[0]!.used).toBe(counted.size)
  expect(counted.size - told.size).toBeLessThanOrEqual(lives * 10)
})
