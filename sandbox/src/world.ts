import type { FastifyInstance } from 'fastify'
import type { Faults } from './control/faults.ts'
import type { Followers } from './engine/followers.ts'
import type { Delivering } from './events/deliver.ts'
import type { Store } from './store/openStore.ts'

export type Settings = {
  /** Days from one failed attempt to the next; the list's end is the end of dunning. */
  retryDays: number[]
  /** What becomes of a subscription when the last retry failed. */
  afterRetries: 'cancel' | 'unpaid' | 'past_due'
  /** How long a renewal's invoice stays a draft. */
  draftSeconds: number
  /** Webhooks under way at a time per endpoint; 1 keeps the order of creation. */
  webhookConcurrency: number
}

/** Everything that one running sandbox consists of. */
export type World = {
  /** Base address without a trailing slash. */
  url: string
  app: FastifyInstance
  store: Store
  clock: { offset: number; pinned: number | null; advancing: Promise<void> | null }
  settings: Settings
  faults: Faults
  followers: Followers
  delivering: Delivering
}

export const defaultSettings: Settings = {
  retryDays: [3, 5, 7],
  afterRetries: 'cancel',
  draftSeconds: 3600,
  webhookConcurrency: 1,
}

/** Unix seconds on the sandbox's own clock, which may run ahead of real time and stands still while it is moved. */
export function clockNow(world: World): number {
  return world.clock.pinned ?? Math.floor(Date.now() / 1000) + world.clock.offset
}
