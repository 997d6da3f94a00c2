import type { GatewaySnapshot, RoutingPolicy } from '@turnpike/contract'
import type { Catalog } from '../modules/catalog/index.ts'
import { listCustomers } from '../modules/customers/index.ts'
import { newestSnapshot } from '../modules/entitlements/index.ts'
import { readInOneView } from '../platform/db.ts'
import { newestPosition, positionText, streamSequence } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { budgetOf } from './steps/budget.ts'

/**
 * Where a replica begins (EVT-4): budgets page by page, each with the sequence that it includes, and the position to read
 * events after. The position is taken before the budgets, in one view of the database, so that nothing between is missed;
 * what comes twice is told apart by its sequence.
 */
export const readGatewaySnapshot = (
  deps: Deps & { feedId: string },
  after: { at: string; tenantId: string } | null,
  limit: number,
): Promise<GatewaySnapshot & { next: { at: string; tenantId: string } | null }> =>
  readInOneView(deps.db, async (tx) => {
    const position = await newestPosition(tx)
    const customers = await listCustomers(tx, { search: null, after, limit })
    const budgets: GatewaySnapshot['budgets'] = []
    for (const customer of customers) {
      const snapshot = await newestSnapshot(tx, customer.tenantId)
      if (!snapshot) continue
      budgets.push({
        ...(await budgetOf(tx, customer, snapshot.content, deps.clock.now())),
        sequence: await streamSequence(tx, customer.tenantId),
      })
    }
    const last = customers.at(-1)
    const next = customers.length === limit && last ? { at: last.createdAt.toString(), tenantId: last.tenantId } : null
    return {
      position: positionText(deps.feedId, position),
      budgets,
      routingPolicies: after === null ? routingPolicies(deps.catalog()) : [],
      cursor: null,
      next,
    }
  })

const routingPolicies = (catalog: Catalog): RoutingPolicy[] =>
  Object.entries(catalog.file.plans).flatMap(([plan, { gateway }]) =>
    (gateway?.routing ?? []).map((policy) => ({
      id: `${plan}.${policy.id}`,
      planId: plan,
      priority: policy.priority,
      matchExpression: policy.match,
      strategy: policy.strategy,
      targets: policy.targets,
    })),
  )
