import { fail } from '../../core/errors.ts'
import { instantOrNull } from '../../core/period.ts'
import { grantOverride, withdrawOverride } from '../../flows/change-override.ts'
import { checkEntitlements } from '../../flows/check-entitlements.ts'
import { decideOverride } from '../../flows/decide-override.ts'
import { readDecision, readDecisions } from '../../flows/read-decisions.ts'
import { explainEntitlement, readSnapshot } from '../../flows/read-entitlements.ts'
import { overrideView } from '../../flows/steps/views.ts'
import { findCustomer } from '../../modules/customers/index.ts'
import { findOverrideById, listOverrides, waitingRequests } from '../../modules/entitlements/index.ts'
import type { DecisionPlace } from '../../modules/usage/index.ts'
import { requirePermission } from '../auth.ts'
import { type Context, decodeCursor, encodeCursor, type Handlers } from '../handler.ts'

export const entitlementHandlers: Handlers<
  | 'getEntitlements'
  | 'check'
  | 'explain'
  | 'listDecisions'
  | 'getDecision'
  | 'createOverride'
  | 'listOverrides'
  | 'listWaitingOverrides'
  | 'approveOverride'
  | 'rejectOverride'
  | 'withdrawOverride'
> = {
  getEntitlements: ({ deps, tenantId, query }) => readSnapshot(deps, tenantId, query.at),

  check: ({ deps, credential, tenantId, body, idempotencyKey, requestId }) => {
    const check = () => checkEntitlements(deps, tenantId, body, idempotencyKey, requestId)
    // Looking is one permission, using up another.
    return body.consume
      ? requirePermission(deps, credential, 'billing:entitlements:consume', requestId, 'check').then(check)
      : check()
  },

  explain: ({ deps, tenantId, params, query }) => explainEntitlement(deps, tenantId, params.feature, query.at),

  listDecisions: async ({ deps, tenantId, query }) => {
    const { feature, outcome, from, to, cursor, limit } = query
    const filter = {
      from: from ?? null,
      to: to ?? null,
      outcome: outcome ?? null,
      before: decodeCursor(cursor, isPlace),
    }
    const { decisions, before } = await readDecisions(deps, tenantId, feature ?? null, filter, limit ?? 50)
    return { data: decisions, cursor: before && encodeCursor(before) }
  },

  getDecision: ({ deps, tenantId, params }) => readDecision(deps, tenantId, params.decisionId),

  createOverride: async ({ deps, actor, tenantId, body }) =>
    overrideView(await grantOverride(deps, actor, tenantId, body)),

  listOverrides: async ({ deps, tenantId }) => {
    if (!(await findCustomer(deps.db, tenantId))) throw fail('not_found')
    return (await listOverrides(deps.db, tenantId)).map(overrideView)
  },

  listWaitingOverrides: async ({ deps }) => (await waitingRequests(deps.db, deps.clock.now(), 200)).map(overrideView),

  approveOverride: (context) => decided(context, 'approved'),

  rejectOverride: (context) => decided(context, 'rejected'),

  withdrawOverride: async ({ deps, actor, params, own }) => {
    const override = await findOverrideById(deps.db, params.overrideId)
    if (!override) throw fail('not_found')
    await own(override.tenantId)
    return overrideView(await withdrawOverride(deps, actor, override.tenantId, override.overrideId))
  },
}

const isPlace = (value: unknown): value is DecisionPlace =>
  typeof (value as DecisionPlace | null)?.at === 'string' &&
  typeof (value as DecisionPlace).tie === 'string' &&
  instantOrNull((value as DecisionPlace).at) !== null

const decided = async (
  { deps, actor, params, body, own }: Context<'approveOverride'> | Context<'rejectOverride'>,
  decision: 'approved' | 'rejected',
) => {
  const override = await findOverrideById(deps.db, params.overrideId)
  if (!override) throw fail('not_found')
  await own(override.tenantId)
  const { tenantId, overrideId } = override
  return overrideView(
    await decideOverride(deps, actor, { tenantId, overrideId, decision, reason: body.reason ?? null }),
  )
}
