import { applyProviderFacts, type ProviderFacts } from '../../src/flows/apply-provider-facts.ts'
import { systemActor } from '../../src/platform/audit.ts'
import { transact } from '../../src/platform/db.ts'
import type { Subscriber } from './story.ts'
import { eventually, type World } from './world.ts'

type Told = { type: string; data: Record<string, unknown> }

/** A customer's events of some types, with their data, as soon as they are as hoped. */
export const toldOf = (
  world: World,
  tenantId: string,
  prefix: string,
  holds: (told: Told[]) => boolean = () => true,
): Promise<Told[]> =>
  eventually(
    async () =>
      (await world.operator.listEvents({ query: { tenantId, limit: 1_000 } })).data
        .filter((event) => event.type.startsWith(prefix))
        .map(({ type, data }) => ({ type, data: data as Record<string, unknown> })),
    holds,
  )

type Transition = { from: string | null; to: string; trigger: string }

/** The changes of status that a customer's events tell of, as `from → to (trigger)`. */
export const transitionsOf = async (
  world: World,
  tenantId: string,
  holds: (steps: string[]) => boolean = () => true,
): Promise<string[]> =>
  eventually(async () => {
    const told = await toldOf(world, tenantId, 'subscription.')
    return told.flatMap(({ data }) => {
      const step = data.transition as Transition | null | undefined
      return step ? [`${step.from} → ${step.to} (${step.trigger})`] : []
    })
  }, holds)

/** Waits until everything that the provider had to tell of a customer was applied. */
const settled = async (world: World, tenantId: string): Promise<void> => {
  await world.control('POST', '/sandbox/webhooks/flush', {})
  await eventually(
    async () => (await world.operator.listWebhooks({ query: { limit: 200 } })).data,
    (webhooks) => webhooks.every(({ state }) => state !== 'pending' && state !== 'retrying'),
  )
  await eventually(
    async () => (await world.operator.listWebhooks({ query: { tenantId, limit: 1 } })).data,
    (webhooks) => webhooks.length > 0,
  )
}

/** What the provider says of a customer now, changed as a story wants it, applied as if it had been fetched so. */
export const applyChanged = async (
  world: World,
  subscriber: Pick<Subscriber, 'tenantId' | 'providerCustomerId'>,
  change: (facts: ProviderFacts) => ProviderFacts,
): Promise<void> => {
  await settled(world, subscriber.tenantId)
  const { deps } = world.app
  const subscriptions = await deps.provider.fetchSubscriptions(subscriber.providerCustomerId)
  const facts = change({ subscriptions, invoices: [], checkouts: [] })
  await transact(deps.db, (tx) =>
    applyProviderFacts(tx, deps, subscriber.tenantId, facts, systemActor('test', 'request_of_a_test')),
  )
}
