import { createClient } from '@turnpike/client'
import { freePort } from '@turnpike/local/postgres'
import { createTestDatabase, type TestDatabase } from '@turnpike/local/test-database'
import { type Sandbox, startSandbox } from '@turnpike/sandbox'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLog } from '../src/platform/log.ts'
import { type ClockFollower, createClockFollower } from '../src/providers/stripe/follow-clock.ts'
import { type ServiceProcess, startServiceProcess } from './simulation/support/service-process.ts'
import { eventually, operatorKey } from './support/world.ts'

const log = createLog('silent')
const day = 86_400
let sandbox: Sandbox
const followers: ClockFollower[] = []
beforeEach(async () => {
  sandbox = await startSandbox({ port: 0 })
})
afterEach(async () => {
  for (const follower of followers.splice(0)) follower.stop()
  await sandbox.close()
})

const advance = async (seconds: number): Promise<number> => {
  // A connection that was kept may be to a sandbox that is gone: the first question finds that out.
  await eventually(
    () =>
      fetch(`${sandbox.url}/sandbox/state`).then(
        ({ ok }) => ok,
        () => false,
      ),
    (answers) => answers,
  )
  const order = { method: 'POST', body: JSON.stringify({ seconds }) }
  return ((await (await fetch(`${sandbox.url}/sandbox/clock/advance`, order)).json()) as { now: number }).now
}
const followerOf = async (catchUp: () => Promise<void> = async () => {}): Promise<ClockFollower> => {
  const follower = await createClockFollower(sandbox.url, log)
  followers.push(follower)
  follower.follow(catchUp)
  return follower
}
const daysAhead = (ms: number): number => Math.floor((ms - Date.now() + 1_000) / (day * 1_000))

test('a service that starts has the time of its provider before it does anything', async () => {
  await advance(40 * day)
  const follower = await createClockFollower(sandbox.url, log)
  expect(daysAhead(follower.clock.nowMs())).toBe(40)
})

test('when the clock was moved and the mover is told, it has been followed, and what was due is done', async () => {
  const done: number[] = []
  let met = 0
  const follower: ClockFollower = await followerOf(async () => {
    met++
    done.push(daysAhead(follower.clock.nowMs()))
  })
  await eventually(
    async () => met,
    (times) => times > 0,
  )
  const now = await advance(31 * day)
  expect(follower.clock.nowMs()).toBeGreaterThanOrEqual(now * 1_000)
  expect(done.at(-1)).toBe(31)
})

test('work that fails does not keep the clock from being followed', async () => {
  const follower = await followerOf(async () => {
    throw new Error('no database')
  })
  await advance(10 * day)
  await eventually(
    async () => daysAhead(follower.clock.nowMs()),
    (days) => days === 10,
  )
  await advance(10 * day)
  await eventually(
    async () => daysAhead(follower.clock.nowMs()),
    (days) => days === 20,
  )
})

test('a sandbox that is away keeps nobody from starting; when it comes, its time is followed', async () => {
  const { port } = sandbox
  await sandbox.close()
  const follower = await followerOf()
  expect(daysAhead(follower.clock.nowMs())).toBe(0)
  sandbox = await startSandbox({ port })
  await advance(5 * day)
  await eventually(
    async () => daysAhead(follower.clock.nowMs()),
    (days) => days === 5,
  )
})

test('a sandbox that forgot how far it was turns no clock back', async () => {
  const follower = await followerOf()
  await advance(5 * day)
  await eventually(
    async () => daysAhead(follower.clock.nowMs()),
    (days) => days === 5,
  )
  const { port } = sandbox
  await sandbox.close()
  sandbox = await startSandbox({ port })
  await advance(day)
  expect(daysAhead(follower.clock.nowMs())).toBe(5)
})

test('the service follows next to the sandbox, and never next to the real provider (PAY-4)', async () => {
  const databases: TestDatabase[] = []
  const services: ServiceProcess[] = []
  const serve = async (provider: string) => {
    const database = await createTestDatabase()
    databases.push(database)
    const settings = { databaseUrl: database.url, sandboxUrl: sandbox.url, env: { TURNPIKE_PROVIDER: provider } }
    const service = await startServiceProcess({ ...settings, port: await freePort() })
    services.push(service)
    const client = createClient({ baseUrl: service.url, credential: operatorKey })
    return async () => daysAhead(Date.parse((await client.whoami({})).data.now))
  }
  try {
    const beside = { sandbox: await serve('sandbox'), stripe: await serve('stripe') }
    await advance(31 * day)
    await eventually(beside.sandbox, (days) => days === 31)
    expect(await beside.stripe()).toBe(0)
  } finally {
    for (const service of services) await service.kill()
    for (const database of databases) await database.drop()
  }
})
