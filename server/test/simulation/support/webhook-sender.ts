import Stripe from 'stripe'
import { webhookSecret } from '../../support/world.ts'

export type Notice = { id: string }

/** Sends an event as the provider does: signed by its own library, again and again until somebody answers 2xx. */
export const deliver = async (
  url: string,
  event: Notice,
  onRefusal: (status: number | null) => void = () => {},
  giveUpAfterMs = 120_000,
): Promise<void> => {
  const payload = JSON.stringify(event)
  for (const end = Date.now() + giveUpAfterMs; ; ) {
    const answer = await fetch(`${url}/api/v1/billing/webhooks/stripe`, {
      method: 'POST',
      body: payload,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'stripe-signature': Stripe.webhooks.generateTestHeaderString({ payload, secret: webhookSecret }),
      },
    }).catch(() => null)
    await answer?.arrayBuffer().catch(() => {})
    if (answer?.ok) return
    onRefusal(answer?.status ?? null)
    if (Date.now() > end) throw new Error(`nobody takes ${event.id}: ${answer?.status ?? 'no answer'}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Works through a list with so many hands at once. */
export const withHands = async <T>(
  hands: number,
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
): Promise<void> => {
  let next = 0
  await Promise.all(
    Array.from({ length: hands }, async () => {
      while (next < items.length) await work(items[next++]!)
    }),
  )
}

/** Chance that can be repeated: the same seed gives the same numbers (mulberry32). */
export const chanceOf = (
  seed: number,
): { next(): number; whole(below: number): number; shuffled<T>(items: readonly T[]): T[] } => {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const whole = (below: number) => Math.floor(next() * below)
  return {
    next,
    whole,
    shuffled: (items) => {
      const mixed = [...items]
      for (let last = mixed.length - 1; last > 0; last--) {
        const other = whole(last + 1)
        ;[mixed[last], mixed[other]] = [mixed[other]!, mixed[last]!]
      }
      return mixed
    },
  }
}
