import type { CorrectionAnswer, NewCorrection } from '@turnpike/contract'
import { fail } from '../core/errors.ts'
import { own } from '../core/own.ts'
import { instantOfRow } from '../core/period.ts'
import { type Micro, microOf, numberOfMicro } from '../core/quantity.ts'
import { lockCustomer } from '../modules/customers/index.ts'
import {
  type CorrectedCounter,
  type CorrectionRefusal,
  decideCorrection,
  findCorrections,
  findLineage,
  insertCorrection,
  isKeyTaken,
  type KeptCorrection,
  type KeptRecord,
  lockCountersOf,
} from '../modules/usage/index.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import { type Tx, transact } from '../platform/db.ts'
import { notifyAll } from '../platform/notify.ts'
import { appendEvents } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'

/**
 * Takes a record back, or sets its quantity (USE-2). The record stays; the correction is a record of its own with the
 * difference, in the windows of the original, whether they are over or not: what was invoiced already is made up for by
 * billing, which compares for as long as late usage is accepted. No limit refuses it: it says what was, and is not use.
 */
export const correctUsage = async (
  deps: Deps,
  actor: Actor,
  tenantId: string,
  wanted: NewCorrection,
): Promise<CorrectionAnswer> => {
  const quantity = quantityOf(wanted.quantity)
  const { answer, moved } = await transact(deps.db, async (tx) => {
    // Corrections of one customer come one after another, so that each sees the one before.
    const customer = await lockCustomer(tx, tenantId)
    if (!customer) throw fail('not_found')
    const [original, ...others] = await findLineage(tx, tenantId, wanted.corrects)
    if (!original) throw fail('usage_record_unknown')
    const earlier = await findCorrections(tx, tenantId, [original.idempotencyKey])
    const repeated = earlier.find((each) => each.idempotencyKey === wanted.idempotencyKey)
    if (repeated) return { answer: repeatOf(tenantId, original, repeated, wanted, quantity), moved: [] }
    if (await isKeyTaken(tx, tenantId, wanted.idempotencyKey)) throw fail('idempotency_key_reused')
    const meter = own(deps.catalog().file.meters, original.meter)
    const decision = decideCorrection(
      original,
      others,
      { action: wanted.action, quantity },
      {
        fractional: meter?.fractional ?? true,
        countsRecords: meter?.aggregation === 'count' || meter?.aggregation === 'unique',
      },
    )
    if (typeof decision === 'string') throw refusalOf(decision)
    const { delta, before, after } = decision
    await lockCountersOf(tx, tenantId, original.idempotencyKey)
    const made = {
      corrects: original.idempotencyKey,
      number: earlier.length + 1,
      idempotencyKey: wanted.idempotencyKey,
      action: wanted.action,
      before,
      after,
      reason: wanted.reason,
      correctedBy: actor.id,
    }
    const recordedAt = deps.clock.now()
    const counters = await insertCorrection(tx, tenantId, {
      ...made,
      delta,
      recordedAt,
      correlationId: actor.requestId,
    })
    await announce(tx, tenantId, counters)
    const units = { before: numberOfMicro(before), after: numberOfMicro(after) }
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: `usage.${wanted.action}`,
      object: original.idempotencyKey,
      before: { quantity: units.before },
      after: { quantity: units.after, meter: original.meter, correction: wanted.idempotencyKey },
      reason: wanted.reason,
    })
    const { corrects, action } = made
    await appendEvents(tx, deps.clock, customer, actor.requestId, [
      {
        type: 'usage.corrected',
        data: {
          meter: original.meter,
          corrects,
          action,
          ...units,
          at: instantOfRow(original.at).toString(),
          windowStart: instantOfRow(original.windowStart).toString(),
        },
      },
    ])
    return {
      answer: answerOf(tenantId, original, { ...made, recordedAt: recordedAt.toString() }, false),
      moved: counters,
    }
  })
  for (const { meter, span, windowStartMs, used, reserved, version } of moved)
    deps.live.counterMoved(tenantId, meter, windowStartMs, span, { used, reserved, version })
  return answer
}

const quantityOf = (quantity: number | undefined): Micro | null => {
  if (quantity === undefined) return null
  const micro = microOf(quantity)
  if (micro === null || micro < 0n)
    throw fail('quantity_invalid', {
      errors: [{ field: 'quantity', message: 'Not negative, at most 15 significant digits and 6 decimals.' }],
    })
  return micro
}

const refusals: Record<CorrectionRefusal, [field: string, message: string]> = {
  quantity_missing: ['quantity', 'An amendment says what the record counts from now on.'],
  quantity_not_wanted: ['quantity', 'A void takes all of the record back and has no quantity.'],
  quantity_not_whole: ['quantity', 'The meter counts whole units.'],
  counts_records: ['action', 'The meter counts records: one can be voided, not amended.'],
}
const refusalOf = (refusal: CorrectionRefusal) => {
  const [field, message] = refusals[refusal]
  return fail('correction_invalid', { errors: [{ field, message }] })
}

/** The same key with another content is a mistake of the sender. */
const repeatOf = (
  tenantId: string,
  original: KeptRecord,
  made: KeptCorrection,
  wanted: NewCorrection,
  quantity: Micro | null,
): CorrectionAnswer => {
  const isSame =
    made.action === wanted.action &&
    made.reason === wanted.reason &&
    // A void has no quantity.
    quantity === (made.action === 'amend' ? made.after : null) &&
    // None can have named itself when it was made.
    wanted.corrects !== made.idempotencyKey
  if (!isSame) throw fail('idempotency_key_reused')
  return answerOf(tenantId, original, { ...made, recordedAt: instantOfRow(made.recordedAt).toString() }, true)
}

const answerOf = (
  tenantId: string,
  original: KeptRecord,
  made: KeptCorrection,
  repeated: boolean,
): CorrectionAnswer => ({
  tenantId,
  meter: original.meter,
  corrects: original.idempotencyKey,
  quantity: numberOfMicro(made.after - made.before),
  at: instantOfRow(original.at).toString(),
  repeated,
  idempotencyKey: made.idempotencyKey,
  action: made.action,
  before: numberOfMicro(made.before),
  after: numberOfMicro(made.after),
  reason: made.reason,
  correctedBy: made.correctedBy,
  recordedAt: made.recordedAt,
})

const announce = (tx: Tx, tenantId: string, counters: readonly CorrectedCounter[]): Promise<void> =>
  notifyAll(tx, [
    {
      kind: 'counters',
      // Hours too: sliding windows are made of them.
      moved: counters.map(({ meter, span, windowStartMs, used, reserved, version }) => [
        tenantId,
        meter,
        span,
        windowStartMs,
        String(used),
        String(reserved),
        version,
      ]),
    },
  ])
