import { type CheckAnswer, type CheckRequest, type Decision, recordKeyMax } from '@turnpike/contract'
import { fail } from '../core/errors.ts'
import { type Micro, microOf } from '../core/quantity.ts'
import {
  counterName,
  counterNow,
  countingWindow,
  decide,
  type LiveCustomer,
  levelNow,
  type ResolvedEntitlement,
} from '../modules/entitlements/index.ts'
import { isProblem, meterRules, prepareRecord, type RecordDecision } from '../modules/usage/index.ts'
import { isConnectionLoss } from '../platform/db.ts'
import type { Deps } from './deps.ts'
import { lapse } from './lapse-entitlements.ts'
import type { UsageRecorder } from './record-usage.ts'
import type { RefusalCount } from './steps/count-refusals.ts'
import { passesCap, type Spend, spendOf } from './steps/spend.ts'

export type CheckDeps = Deps & { recorder: UsageRecorder; refusals: RefusalCount }

/**
 * The customer in memory, current at a time: a snapshot that has run out is replaced first. While the database is away the
 * last one goes on: nobody could say what comes after it.
 */
export const liveCustomer = async (deps: Deps, tenantId: string, atMs: number): Promise<LiveCustomer> => {
  const live = deps.live.get(tenantId) ?? (await deps.live.load(tenantId, atMs))
  if (!live) throw fail('not_found')
  if (atMs < live.validUntilMs) return live
  try {
    await lapse(deps, tenantId)
  } catch (error) {
    if (isConnectionLoss(error)) return live
    throw error
  }
  return (await deps.live.load(tenantId, atMs)) ?? live
}

/** Where the counter of a feature stands in memory; nothing is used of what counts nothing. */
const positionNow = (
  live: LiveCustomer,
  entitlement: ResolvedEntitlement,
  atMs: number,
): { used: Micro | null; reserved: Micro; windowStart: number | null } => {
  if (entitlement.kind === 'metered') {
    const counting = live.countings.get(entitlement.feature)!
    const { used, reserved } = counterNow(live, counting, atMs)
    return { used, reserved, windowStart: countingWindow(live, counting, atMs).startMs }
  }
  const level =
    entitlement.kind === 'value' && entitlement.usedBy !== undefined ? levelNow(live, entitlement.usedBy) : null
  return { used: level, reserved: 0n, windowStart: null }
}

/** Answers one feature from memory. */
export const decideNow = (
  live: LiveCustomer,
  entitlement: ResolvedEntitlement,
  quantity: Micro,
  atMs: number,
  spend: Spend | null = null,
): Decision => {
  if (entitlement.kind !== 'metered') {
    const level =
      entitlement.kind === 'value' && entitlement.usedBy !== undefined ? levelNow(live, entitlement.usedBy) : null
    return decide(live.content, entitlement, level === null ? null : { used: level, resetsAt: '' }, quantity)
  }
  const counting = live.countings.get(entitlement.feature)!
  const decision = decide(live.content, entitlement, counterNow(live, counting, atMs), quantity)
  return spend && decision.allowed && isCapped(live, spend, entitlement.meter, quantity, live.windowAt(atMs).startMs)
    ? { ...decision, allowed: false, reason: 'spend_cap_reached', state: 'blocked' }
    : decision
}

/** The same rule as when usage is counted, on the counters in memory. */
const isCapped = (live: LiveCustomer, spend: Spend, meter: string, quantity: Micro, startMs: number): boolean => {
  const counters = spend.meters.map((priced) => live.counters.get(counterName(priced, startMs)))
  const used = counters.map((counter) => (counter ? counter.used + counter.reserved : 0n))
  const added = spend.meters.map((priced) => (priced === meter ? quantity : 0n))
  return passesCap(spend, startMs, used, added)
}

/**
 * Is it allowed (ENT-4)? From memory unless it consumes: consuming is decided by the database under the counters' locks,
 * all or nothing over the features asked for. Refusals are counted (ENT-7). An answer from memory waits for nothing.
 */
export const checkEntitlements = (
  deps: CheckDeps,
  tenantId: string,
  request: CheckRequest,
  idempotencyKey: string | null,
  correlationId: string,
): CheckAnswer | Promise<CheckAnswer> => {
  const atMs = deps.clock.nowMs()
  const names = request.features ?? (request.feature === undefined ? [] : [request.feature])
  if (names.length === 0 || (request.features && request.feature !== undefined))
    throw fail('invalid_request', { errors: [{ field: 'feature', message: 'Send either `feature` or `features`.' }] })
  const quantity = microOf(request.quantity ?? 1)
  if (quantity === null || quantity < 0n)
    throw fail('quantity_invalid', {
      errors: [{ field: 'quantity', message: 'Not negative, at most 15 significant digits and 6 decimals.' }],
    })
  if (request.at !== undefined && !request.consume)
    throw fail('invalid_request', { errors: [{ field: 'at', message: 'A time is given with `consume` only.' }] })
  const answer = (live: LiveCustomer): CheckAnswer | Promise<CheckAnswer> => {
    const asked = names.map((feature) => {
      const entitlement = live.byFeature.get(feature)
      if (!entitlement)
        throw fail('feature_unknown', {
          errors: [
            { field: request.features ? 'features' : 'feature', message: `The catalog has no feature ${feature}.` },
          ],
        })
      return entitlement
    })
    const answered = (decisions: Decision[]): CheckAnswer => {
      for (let index = 0; index < decisions.length; index++) {
        const { allowed, feature, reason } = decisions[index]!
        if (allowed) continue
        deps.refusals.count(tenantId, feature, reason, atMs)
        // What was to be used up has records of its own.
        if (request.consume) continue
        const position = positionNow(live, asked[index]!, atMs)
        const { version: snapshotVersion } = live
        deps.refusals.keep({ tenantId, feature, reason, quantity, snapshotVersion, ...position, because: null }, atMs)
      }
      return {
        tenantId,
        allowed: decisions.every((decision) => decision.allowed),
        decisions,
        snapshotVersion: live.version,
      }
    }
    return request.consume
      ? consume(deps, tenantId, live, asked, request, idempotencyKey, correlationId, atMs).then(answered)
      : answered(
          asked.map((entitlement) =>
            decideNow(live, entitlement, quantity, atMs, live.content.spendCap ? spendOf(deps.catalog(), live) : null),
          ),
        )
  }
  const known = deps.live.get(tenantId)
  return known && atMs < known.validUntilMs ? answer(known) : liveCustomer(deps, tenantId, atMs).then(answer)
}

const consume = async (
  deps: CheckDeps,
  tenantId: string,
  live: LiveCustomer,
  asked: ResolvedEntitlement[],
  request: CheckRequest,
  headerKey: string | null,
  correlationId: string,
  atMs: number,
): Promise<Decision[]> => {
  const key = request.idempotencyKey ?? headerKey
  if (key === null)
    throw fail('invalid_request', {
      errors: [{ field: 'idempotencyKey', message: 'Consuming needs a key, so that a repeat does not consume twice.' }],
    })
  const quantity = request.quantity ?? 1
  const { meters, policies } = deps.catalog().file
  const records = asked.map((entitlement) => {
    if (entitlement.kind !== 'metered')
      throw fail('invalid_request', {
        errors: [{ field: 'consume', message: `${entitlement.feature} is not metered: there is nothing to consume.` }],
      })
    const prepared = prepareRecord(
      {
        meter: entitlement.meter,
        quantity,
        at: request.at,
        idempotencyKey: `check:${key}:${entitlement.feature}`.slice(0, recordKeyMax),
        service: request.service,
      },
      meterRules(meters).get(entitlement.meter),
      policies.usage,
      atMs,
    )
    if (isProblem(prepared)) {
      const [code, field] = prepared.code.startsWith('time_')
        ? (['time_out_of_range', 'at'] as const)
        : prepared.code.startsWith('quantity_')
          ? (['quantity_invalid', 'quantity'] as const)
          : (['invalid_request', 'feature'] as const)
      throw fail(code, { errors: [{ field, message: prepared.detail }], extra: { usageCode: prepared.code } })
    }
    // The key says which work it was. A first try that named no time, because it did not wait, is the same work.
    return { ...prepared, atGiven: false }
  })
  const results = await deps.recorder.record({
    tenantId,
    customerId: live.customerId,
    live,
    records,
    atomic: true,
    correlationId,
  })
  const because = asked.find((_, index) => results[index]!.decision.kind === 'refused')?.feature ?? null
  return asked.map((entitlement, index) => {
    const { decision } = results[index]!
    if (decision.kind === 'reused') throw fail('idempotency_key_reused')
    const wanted = records[index]!.quantity
    const accepted =
      decision.kind === 'accepted' || (decision.kind === 'duplicate' && decision.earlier.outcome === 'accepted')
    const { used, reserved } = decision.kind === 'duplicate' ? decision.earlier : decision
    const counting = live.countings.get(entitlement.feature)!
    const { resetsAt } = countingWindow(live, counting, records[index]!.at)
    // What is said about the counter is what the database decided on; a refusal is worded for the quantity that was wanted.
    const said = decide(live.content, entitlement, { used, reserved, resetsAt }, accepted ? 0n : wanted)
    const reason =
      said.allowed === accepted
        ? said.reason
        : accepted
          ? 'within_limit'
          : codeOf(decision) === 'spend_cap_reached'
            ? 'spend_cap_reached'
            : 'limit_reached'
    if (decision.kind === 'withdrawn') {
      const { windowStart } = positionNow(live, entitlement, records[index]!.at)
      const { feature } = entitlement
      const { version: snapshotVersion } = live
      const position = { used, reserved, windowStart, because }
      deps.refusals.keep({ tenantId, feature, reason, quantity: wanted, snapshotVersion, ...position }, atMs)
    }
    return { ...said, allowed: accepted, consumed: accepted, reason }
  })
}

const codeOf = (decision: RecordDecision): string | null =>
  decision.kind === 'refused' ? decision.code : decision.kind === 'duplicate' ? decision.earlier.code : null
