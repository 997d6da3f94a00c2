import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { newCustomer, newPrice, startWorld, type TestWorld } from './support/sandboxWorld.ts'

type Told = { step: string; ahead: number; now: number }

const day = 86_400
const folder = mkdtempSync(join(tmpdir(), 'sandbox-followers-'))
let world: TestWorld
let stop: AbortController
let files = 0
beforeEach(async () => {
  stop = new AbortController()
  world = await startWorld({ stateFile: join(folder, `${files++}.db`) })
})
afterEach(async () => {
  stop.abort()
  await world.close()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const ask = async (query: Record<string, string>): Promise<Told> => {
  const address = `${world.sandbox.url}/sandbox/clock?${new URLSearchParams(query)}`
  return (await (await fetch(address, { signal: stop.signal })).json()) as Told
}

/** Follows until the test ends; `act` is what it does at each step. Settles once it waits for the next one. */
const follow = async (act: (told: Told) => Promise<unknown>, follower = 'one'): Promise<void> => {
  let { step } = await ask({})
  const run = async () => {
    while (!stop.signal.aborted) {
      const told = await ask({ follower, after: step })
      if (told.step !== step) await act(told)
      step = told.step
    }
  }
  run().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error
  })
  // Whatever is asked later is answered later.
  await ask({})
}

const subscribe = async (): Promise<{ end: number; invoices: () => Promise<(string | null)[]> }> => {
  const price = await newPrice(world, 1000)
  const customer = await newCustomer(world)
  const { items } = await world.stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  return {
    end: items.data[0]!.current_period_end,
    invoices: async () =>
      (await world.stripe.invoices.list({ customer: customer.id })).data.map(({ status }) => status),
  }
}

test('whoever follows the clock comes to each moment before anything happens in it, and again after it', async () => {
  const { end, invoices } = await subscribe()
  const seen: [number, (string | null)[]][] = []
  await follow(async ({ now }) => seen.push([now - end, await invoices()]))
  await world.control('POST', '/sandbox/clock/advance', { to: end + 2 * 3600 })
  const after = seen.map(([at, statuses]) => [at > 3600 ? 'later' : at, statuses])
  expect(after).toEqual([
    [-7 * day, ['paid']],
    [-7 * day, ['paid']],
    [0, ['paid']],
    [0, ['draft', 'paid']],
    [3600, ['draft', 'paid']],
    [3600, ['paid', 'paid']],
    ['later', ['paid', 'paid']],
  ])
})

test('what a follower does at a moment counts in it: a line comes onto the draft that is about to be closed', async () => {
  const { end, invoices } = await subscribe()
  await follow(async ({ now }) => {
    const [draft] = (await world.stripe.invoices.list({ status: 'draft' })).data
    if (now < end + 3600 || !draft) return
    const customer = draft.customer as string
    await world.stripe.invoiceItems.create({ customer, invoice: draft.id, amount: 77, currency: 'usd' })
  })
  await world.control('POST', '/sandbox/clock/advance', { to: end + 2 * 3600 })
  expect(await invoices()).toEqual(['paid', 'paid'])
  expect((await world.stripe.invoices.list()).data[0]!.total).toBe(1077)
})

test('the clock is never behind what a follower was told, and is kept on the way', async () => {
  const { end } = await subscribe()
  const told: number[] = []
  const kept: number[] = []
  await follow(async ({ ahead, now }) => {
    told.push(ahead)
    kept.push((await world.control<{ offset: number }>('GET', '/sandbox/state')).offset)
    // Its work takes a while, in which the clock stands still and the real one does not.
    const until = Date.now() + 2_000
    while (now === end && Date.now() < until) await ask({})
  })
  await world.control('POST', '/sandbox/clock/advance', { to: end })
  for (const [index, ahead] of told.entries()) expect(kept[index]).toBeGreaterThanOrEqual(ahead)
  const { ahead } = await ask({})
  expect(ahead).toBe(Math.max(...told))
  await world.restart()
  expect(await ask({})).toMatchObject({ ahead })
})

test('a sandbox that ends in the middle of a month comes back where it was, not before it', async () => {
  const { end } = await subscribe()
  let reached = () => {}
  const renewed = new Promise<void>((resolve) => {
    reached = resolve
  })
  await follow(async ({ now }) => {
    if (now < end) return
    reached()
    // It has not done yet what is due.
    await new Promise(() => {})
  })
  const advancing = fetch(`${world.sandbox.url}/sandbox/clock/advance`, {
    method: 'POST',
    body: JSON.stringify({ to: end + day }),
  }).catch(() => null)
  await renewed
  await world.restart()
  await advancing
  const { now } = await ask({})
  expect(now).toBeGreaterThanOrEqual(end)
  expect(now).toBeLessThan(end + 3600)
})

test('nobody waits for a follower that is gone', { timeout: 8_000 }, async () => {
  const { step } = await ask({})
  const gone = new AbortController()
  const question = fetch(`${world.sandbox.url}/sandbox/clock?follower=gone&after=${step}`, { signal: gone.signal })
  await ask({})
  gone.abort()
  await expect(question).rejects.toThrow()
  await follow(async () => {})
  const { now } = await world.control<{ now: number }>('POST', '/sandbox/clock/advance', { seconds: day })
  expect((await ask({})).now).toBeGreaterThanOrEqual(now)
})

test('a sandbox that was started again has news for whoever followed it before', async () => {
  const { step } = await ask({})
  await world.restart()
  expect((await ask({ follower: 'one', after: step })).step).not.toBe(step)
})
