import type { OverrideCreate } from '@turnpike/contract'
import type { Static } from 'typebox'
import { fail } from '../core/errors.ts'
import { idFor } from '../core/ids.ts'
import { own } from '../core/own.ts'
import { instantOrNull } from '../core/period.ts'
import { type CustomerRecord, lockCustomer } from '../modules/customers/index.ts'
import {
  approvalNeeded,
  findOverrideById,
  insertOverride,
  type OverrideRecord,
  policyBreach,
  withdrawOverride as withdraw,
} from '../modules/entitlements/index.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import { type Tx, transact } from '../platform/db.ts'
import { appendEvents } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { refreshEntitlements } from './steps/refresh-entitlements.ts'
import { overrideView } from './steps/views.ts'

/** How long a request for an override waits for somebody to decide. */
const requestDays = 7

/**
 * Grants an override (ENT-2): in force at once, until it ends or is withdrawn; the newest of a feature wins. Where policy
 * wants a second person it waits for one, and nothing is in force.
 */
export const grantOverride = (
  deps: Deps,
  actor: Actor,
  tenantId: string,
  request: Static<typeof OverrideCreate>,
): Promise<OverrideRecord> =>
  transact(deps.db, async (tx) => {
    const customer = await lockCustomer(tx, tenantId)
    if (!customer) throw fail('not_found')
    const overrideId = idFor('override', actor.claim)
    // A repeat whose first answer was lost gets what the first has made.
    const made = actor.claim === undefined ? null : await findOverrideById(tx, overrideId)
    if (made) return made
    const at = deps.clock.now()
    const definition = own(deps.catalog().file.features, request.feature)
    if (!definition) throw fail('feature_unknown')
    const fitting = { boolean: 'enabled', value: 'value', metered: 'limit' }[definition.kind]
    if (!(fitting in request.set))
      throw fail('override_invalid', {
        errors: [{ field: 'set', message: `A ${definition.kind} feature takes \`${fitting}\`.` }],
      })
    if (definition.kind === 'value' && 'value' in request.set && !fitsType(definition.type, request.set.value))
      throw fail('override_invalid', {
        errors: [{ field: 'set.value', message: `The feature holds a ${definition.type}.` }],
      })
    // Counters are compared with limits exactly, in whole units.
    if ('limit' in request.set && request.set.limit !== null && !isWholeLimit(request.set.limit))
      throw fail('override_invalid', {
        errors: [
          { field: 'set.limit', message: 'A limit is whole and has at most 15 digits, or is null for no limit.' },
        ],
      })
    const expiresAt = request.expiresAt ? instantOrNull(request.expiresAt) : null
    if (request.expiresAt && expiresAt === null)
      throw fail('override_invalid', { errors: [{ field: 'expiresAt', message: 'The year is not from 1 to 9999.' }] })
    if (expiresAt && Temporal.Instant.compare(expiresAt, at) <= 0)
      throw fail('override_invalid', { errors: [{ field: 'expiresAt', message: 'The end lies in the past.' }] })
    const policy = deps.catalog().file.policies.overrides
    const breach = policyBreach(policy, { ...request, expiresAt }, at)
    if (breach) throw fail('override_invalid', { errors: [{ field: 'expiresAt', message: breach }] })
    const requestExpiresAt = approvalNeeded(policy, { ...request, expiresAt }, at)
      ? at.add({ hours: 24 * requestDays })
      : null
    const override: OverrideRecord = {
      tenantId,
      overrideId,
      feature: request.feature,
      set: request.set,
      reason: request.reason,
      actor: actor.id,
      createdAt: at,
      expiresAt,
      withdrawnAt: null,
      state: requestExpiresAt ? 'waiting_for_approval' : 'approved',
      requestExpiresAt,
      decidedBy: null,
      decidedAt: null,
      decisionReason: null,
    }
    await insertOverride(tx, override)
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: requestExpiresAt ? 'override.request' : 'override.grant',
      object: override.overrideId,
      after: { feature: override.feature, set: override.set, expiresAt: request.expiresAt ?? null },
      reason: override.reason,
    })
    if (requestExpiresAt)
      await appendEvents(tx, deps.clock, customer, actor.requestId, [
        {
          type: 'override.requested',
          data: { override: overrideView(override), requestExpiresAt: requestExpiresAt.toString() },
        },
      ])
    else await refreshAndAnnounce(tx, deps, customer, at, `override granted: ${override.feature}`, actor.requestId)
    return override
  })

/** Withdraws an override; a second time changes nothing. */
export const withdrawOverride = (
  deps: Deps,
  actor: Actor,
  tenantId: string,
  overrideId: string,
): Promise<OverrideRecord> =>
  transact(deps.db, async (tx) => {
    const customer = await lockCustomer(tx, tenantId)
    const override = await findOverrideById(tx, overrideId)
    if (!customer || !override || override.tenantId !== tenantId) throw fail('not_found')
    if (override.withdrawnAt) return override
    const at = deps.clock.now()
    await withdraw(tx, tenantId, overrideId, at)
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: 'override.withdraw',
      object: overrideId,
      before: { feature: override.feature, set: override.set },
    })
    if (override.state === 'approved')
      await refreshAndAnnounce(tx, deps, customer, at, `override withdrawn: ${override.feature}`, actor.requestId)
    return { ...override, withdrawnAt: at }
  })

const refreshAndAnnounce = async (
  tx: Tx,
  deps: Deps,
  customer: CustomerRecord,
  at: Temporal.Instant,
  cause: string,
  correlationId: string,
): Promise<void> => {
  const { events, budgetNow } = await refreshEntitlements(tx, deps, customer, at, cause, correlationId)
  await appendEvents(tx, deps.clock, customer, correlationId, events, budgetNow)
}

const isWholeLimit = (limit: number): boolean => Number.isInteger(limit) && limit >= 0 && limit < 1e15

const fitsType = (type: 'number' | 'string' | 'set', value: unknown): boolean =>
  type === 'number'
    ? typeof value === 'number' && Math.abs(value) < 1e15
    : type === 'set'
      ? Array.isArray(value)
      : typeof value === 'string'
