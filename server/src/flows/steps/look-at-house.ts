import type { FindingKind } from '@turnpike/contract'
import { resolveLookupKey } from '../../modules/catalog/index.ts'
import { findCustomer } from '../../modules/customers/index.ts'
import { findProviderCustomer, findTenantOfProviderCustomer } from '../../modules/payments/index.ts'
import { catalogDifference, compareStranger, type Difference, deadWebhook } from '../../modules/reconciliation/index.ts'
import { isTerminal } from '../../modules/subscriptions/index.ts'
import { type InboxRow, listWebhooks } from '../../platform/inbox.ts'
import type { Deps } from '../deps.ts'
import { diffCatalog } from '../diff-catalog.ts'
import type { PushCatalogDeps } from '../push-catalog.ts'

type HouseLook = {
  tenantId: string | null
  covered: readonly FindingKind[]
  differences: Difference[]
  object?: string
}

/** A customer of the provider whom nobody here owns. */
export const lookAtStranger = async (deps: Deps, providerCustomerId: string): Promise<HouseLook> => {
  const { provider } = deps
  const look = (differences: Difference[]): HouseLook => ({
    tenantId: null,
    covered: ['provider_customer_unlinked'],
    differences,
    object: providerCustomerId,
  })
  if ((await findTenantOfProviderCustomer(deps.db, provider.name, providerCustomerId)) !== null) return look([])
  await provider.listing.turn()
  const seen = await provider.fetchCustomer(providerCustomerId)
  if (!seen || seen.deleted) return look([])
  const { items } = await provider.listing.subscriptions({ after: null, providerCustomerId })
  const catalog = deps.catalog()
  const paysForOurs = items.some(
    ({ fact }) =>
      fact !== null &&
      !isTerminal(fact.status) &&
      fact.items.some(({ lookupKey }) => lookupKey !== null && resolveLookupKey(catalog, lookupKey) !== null),
  )
  const customer = seen.tenantId === null ? null : await findCustomer(deps.db, seen.tenantId)
  return look(
    compareStranger({
      providerCustomerId,
      markedFor: seen.tenantId,
      // A mark with the name of another customer of ours is not believed.
      tenantKnown: customer !== null && (seen.customerId === null || seen.customerId === customer.customerId),
      linkedTo: customer && (await findProviderCustomer(deps.db, customer.tenantId, provider.name)),
      paysForOurs,
    }),
  )
}

/** Products and prices, looked at twice where they differ: a push may be under way. */
export const lookAtCatalog = async (deps: Deps & Pick<PushCatalogDeps, 'providerCatalog'>): Promise<HouseLook> => {
  const look = async () => {
    await deps.provider.listing.turn()
    return (await diffCatalog(deps)).differences.map(catalogDifference)
  }
  let differences = await look()
  if (differences.length > 0) {
    const again = new Set((await look()).map(({ object }) => object))
    differences = differences.filter(({ object }) => again.has(object))
  }
  return { tenantId: null, covered: ['catalog_differs'], differences }
}

const pageSize = 200

/**
 * Webhooks that failed for good, all of them: one that is not seen counts as gone. They belong to the house: whose they are
 * may be what went wrong.
 */
export const lookAtDeadWebhooks = async (deps: Deps): Promise<HouseLook> => {
  const differences: Difference[] = []
  let before: bigint | null = null
  for (;;) {
    const page: InboxRow[] = await listWebhooks(deps.db, { state: 'dead', tenantId: null, before, limit: pageSize })
    differences.push(...page.map(deadWebhook))
    if (page.length < pageSize) return { tenantId: null, covered: ['webhook_dead'], differences }
    before = page.at(-1)!.webhookId
  }
}
