import { freePort } from '@turnpike/local/postgres'
import { createTestDatabase, type TestDatabase } from '@turnpike/local/test-database'
import { type Sandbox, startSandbox } from '@turnpike/sandbox'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../support/world.ts'
import { buyersOf, eventsAt, stripeAt } from './support/buyers.ts'
import { findFaults } from './support/find-faults.ts'
import { howMuch, seed } from './support/how-much.ts'
import { type ServiceProcess, startServiceProcess } from './support/service-process.ts'
import { countedIn, startUsage } from './support/usage-sender.ts'
import { chanceOf, deliver, type Notice, withHands } from './support/webhook-sender.ts'

const kills = howMuch(20, 200)
const buyers = howMuch(50, 150)

let database: TestDatabase
let sandbox: Sandbox
let service: ServiceProcess
beforeAll(async () => {
  database = await createTestDatabase()
  sandbox = await startSandbox({ port: 0 })
})
afterAll(async () => {
  await service?.kill()
  await sandbox.close()
  await database.drop()
})

test(`killed ${kills} times in a burst of 2,000 webhooks and of usage: nothing lost, nothing twice (seed ${seed})`, async () => {
  const chance = chanceOf(seed)
  const port = await freePort()
  const start = () => startServiceProcess({ databaseUrl: database.url, sandboxUrl: sandbox.url, port })
  service = await start()
  const url = service.url
  const stripe = stripeAt(sandbox.url)
  const tenants = Array.from({ length: buyers }, (_, index) => `tenant-${index}`)
  const bought = await buyersOf(url, stripe, tenants)
  for (let month = 0; month < 3; month++) await advance(sandbox, 31)
  const past = await eventsAt(stripe)
  expect(past.length).toBeGreaterThanOrEqual(2_000)

  const sent = new Set<string>()
  const send = (events: readonly Notice[]) => {
    for (const event of events) sent.add(event.id)
    // A fifth comes twice, the second time whenever it likes.
    return chance.shuffled([...events, ...events.filter(() => chance.next() < 0.2)])
  }
  const usage = await startUsage(url, tenants.slice(0, 20))

  const queue = send(past)
  // Each life has its share: one without any would wait for a webhook that never comes.
  const shareUpTo = (life: number) => Math.floor((life * queue.length) / kills)
  const deliveries: Promise<void>[] = []
  for (let life = 0; life < kills; life++) {
    const mine = queue.slice(shareUpTo(life), shareUpTo(life + 1))
    // Half-way, half of the customers end what they bought.
    if (life === kills / 2) {
      for (const tenantId of tenants.slice(0, buyers / 2)) {
        const [subscription] = (await stripe.subscriptions.list({ customer: bought.get(tenantId)!.providerCustomerId }))
          .data
        await stripe.subscriptions.cancel(subscription!.id)
      }
      mine.push(...send((await eventsAt(stripe)).filter((event) => !sent.has(event.id))))
    }
    // Killed in the middle of taking webhooks in, and at any moment of applying them.
    const enough = chance.whole(mine.length)
    let taken = 0
    const reached = Promise.withResolvers<void>()
    deliveries.push(
      withHands(8, mine, async (event) => {
        await deliver(url, event)
        if (++taken > enough) reached.resolve()
      }),
    )
    await reached.promise
    await new Promise((resolve) => setTimeout(resolve, chance.whole(400)))
    await service.kill()
    service = await start()
  }
  await Promise.all(deliveries)
  const answered = await usage.stop()

  const db = new pg.Client(database.url)
  await db.connect()
  try {
    await eventually(
      () => findFaults(database.url),
      (found) => found.length === 0,
      60_000,
    )
    const inbox = await db.query<{ event_id: string }>('select event_id from webhook_inbox order by event_id')
    expect(inbox.rows.map((row) => row.event_id)).toEqual([...sent].sort())
    const effects = await db.query(
      `select (select count(*)::int from subscriptions) as subscriptions, (select count(*)::int from subscriptions where ended_at is not null) as ended,
         (select count(*)::int from invoices where status = 'paid') as paid, (select count(*)::int from checkouts where state = 'completed') as completed,
         (select coalesce(sum(deliveries), 0)::int from webhook_inbox) >= $1 as each_delivery_counted`,
      [queue.length],
    )
    expect(effects.rows).toEqual([
      { subscriptions: buyers, ended: buyers / 2, paid: buyers * 4, completed: buyers, each_delivery_counted: true },
    ])
    expect(await countedIn(database.url)).toEqual(answered)
  } finally {
    await db.end()
  }
}, 1_800_000)

const advance = async (sandbox: Sandbox, days: number): Promise<void> => {
  const response = await fetch(`${sandbox.url}/sandbox/clock/advance`, {
    method: 'POST',
    body: JSON.stringify({ seconds: days * 86_400 }),
  })
  if (!response.ok) throw new Error(await response.text())
}
