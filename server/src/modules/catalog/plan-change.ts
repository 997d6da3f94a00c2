import type { CatalogFile, CatalogPlanArtifact } from '@turnpike/contract'
import { blockChanges } from './block.ts'
import { type Catalog, findPlan, nextCatalog, type PlanVersion } from './catalog.ts'
import { compareFiles } from './compare.ts'
import { lossesBetween } from './losses.ts'
import { recurringDelta } from './recurring-delta.ts'

/** Who has what now, from the subscriptions: the plan of a change counts them. */
export type CatalogFacts = {
  /** Live subscriptions, grouped; `seats` is what each one of the group holds. */
  subscriptions: readonly {
    plan: string
    version: number
    price: string
    currency: string
    seats: number
    customers: number
  }[]
  /** Customers without a live subscription: they always have the newest version of the baseline plan. */
  onBaseline: number
}

/** Stands for "no catalog yet" in an artifact. */
export const noCatalogHash = 'none'

/**
 * What applying `file` would do (CAT-2), bound by hash to the catalog that it was made from. Subscriptions stay on their
 * version, so what they would lose and what recurring revenue would become is said for the day when all are moved to the
 * newest one; customers on the baseline plan are moved by applying.
 */
export const planCatalogChange = (
  current: Catalog | null,
  file: CatalogFile,
  facts: CatalogFacts,
): CatalogPlanArtifact => {
  const next = nextCatalog(current, file)
  const changes = current?.hash === next.hash ? [] : blockChanges(current, compareFiles(current?.file ?? null, file))
  const groups = affectedGroups(current, next, facts)
  return {
    baseHash: current?.hash ?? noCatalogHash,
    targetHash: next.hash,
    changes,
    affectedCustomers: groups.map(({ before, customers, staysOnVersion }) => ({
      plan: before.key,
      version: before.version,
      customers,
      staysOnVersion,
    })),
    recurringRevenueDelta: recurringDelta(current, next, facts),
    losses: groups.flatMap(({ before, after, customers, staysOnVersion }) =>
      lossesBetween(before.content, after.content).map(({ feature, sentence }) => ({
        plan: before.key,
        feature,
        customers,
        sentence: staysOnVersion
          ? `"${feature}" ${sentence} once they are moved from version ${before.version} of "${before.key}" to version ${after.version}; until then they keep it.`
          : `"${feature}" ${sentence}, at once.`,
      })),
    ),
    blocked: changes.some((change) => change.kind === 'blocked'),
  }
}

type Group = { before: PlanVersion; after: PlanVersion; customers: number; staysOnVersion: boolean }

/** Customers whose plan gets a newer version by this change, by the version that they have. */
const affectedGroups = (current: Catalog | null, next: Catalog, facts: CatalogFacts): Group[] => {
  if (!current) return []
  const groups = new Map<string, Group>()
  const add = (before: PlanVersion | null, after: PlanVersion | null, customers: number, staysOnVersion: boolean) => {
    if (!before || !after || customers === 0 || (before.key === after.key && before.version === after.version)) return
    const id = `${before.key} ${before.version} ${staysOnVersion}`
    const group = groups.get(id) ?? { before, after, customers: 0, staysOnVersion }
    groups.set(id, { ...group, customers: group.customers + customers })
  }
  const baseline = findPlan(current, current.file.baseline)
  add(baseline, findPlan(next, next.file.baseline), facts.onBaseline, false)
  for (const { plan, version, customers } of facts.subscriptions)
    if (isNewIn(current, next, plan)) add(findPlan(current, plan, version), findPlan(next, plan), customers, true)
  return [...groups.values()].sort((a, b) =>
    a.before.key < b.before.key ? -1 : a.before.key > b.before.key ? 1 : a.before.version - b.before.version,
  )
}

const isNewIn = (current: Catalog, next: Catalog, plan: string): boolean =>
  findPlan(current, plan)?.version !== findPlan(next, plan)?.version
