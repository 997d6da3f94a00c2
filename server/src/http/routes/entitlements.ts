import type { Override } from '@turnpike/contract'
import { fail } from '../../core/errors.ts'
import { grantOverride, withdrawOverride } from '../../flows/change-override.ts'
import { checkEntitlements } from '../../flows/check-entitlements.ts'
import { explainEntitlement, readSnapshot } from '../../flows/read-entitlements.ts'
import { findCustomer } from '../../modules/customers/index.ts'
import { findOverrideById, findOverrides, type OverrideRecord } from '../../modules/entitlements/index.ts'
import { requirePermission } from '../auth.ts'
import type { Handlers } from '../handler.ts'

const overrideView = (override: OverrideRecord): Override => ({
  id: override.overrideId,
  tenantId: override.tenantId,
  feature: override.feature,
  set: override.set,
  reason: override.reason,
  actor: override.actor,
  createdAt: override.createdAt.toString(),
  expiresAt: override.expiresAt?.toString() ?? null,
  withdrawnAt: override.withdrawnAt?.toString() ?? null,
})

export const entitlementHandlers: Handlers<
  'getEntitlements' | 'check' | 'explain' | 'createOverride' | 'listOverrides' | 'withdrawOverride'
> = {
  getEntitlements: ({ deps, tenantId, query }) => readSnapshot(deps, tenantId, query.at),

  check: async ({ deps, credential, tenantId, body, idempotencyKey, requestId }) => {
    // Looking is one permission, using up another.
    if (body.consume) await requirePermission(deps, credential, 'billing:entitlements:consume', requestId, 'check')
    return checkEntitlements(deps, tenantId, body, idempotencyKey, requestId)
  },

  explain: ({ deps, tenantId, params, query }) => explainEntitlement(deps, tenantId, params.feature, query.at),

  createOverride: async ({ deps, actor, tenantId, body }) =>
    overrideView(await grantOverride(deps, actor, tenantId, body)),

  listOverrides: async ({ deps, tenantId }) => {
    if (!(await findCustomer(deps.db, tenantId))) throw fail('not_found')
    return (await findOverrides(deps.db, tenantId)).map(overrideView)
  },

  withdrawOverride: async ({ deps, actor, params, own }) => {
    const override = await findOverrideById(deps.db, params.overrideId)
    if (!override) throw fail('not_found')
    await own(override.tenantId)
    return overrideView(await withdrawOverride(deps, actor, override.tenantId, override.overrideId))
  },
}
