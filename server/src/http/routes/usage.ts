import {
  type UsageAnswer,
  type UsageOutcome,
  type UsageRecord,
  UsageRecord as UsageRecordSchema,
} from '@turnpike/contract'
import { fail } from '../../core/errors.ts'
import { liveCustomer } from '../../flows/check-entitlements.ts'
import { readUsage } from '../../flows/read-usage.ts'
import type { UsageWork } from '../../flows/steps/lay-out-usage.ts'
import { outcomeOf } from '../../flows/steps/usage-outcome.ts'
import type { Credential } from '../../modules/access/index.ts'
import type { LiveCustomer } from '../../modules/entitlements/index.ts'
import { isProblem, meterRules, prepareReport } from '../../modules/usage/index.ts'
import { requireTenant } from '../auth.ts'
import { fieldErrors } from '../field-errors.ts'
import type { Handlers, HttpDeps } from '../handler.ts'
import { compileSchema } from '../validate.ts'

const fitsRecord = compileSchema(UsageRecordSchema)

type Judged = { outcomes: UsageOutcome[]; works: { work: UsageWork; places: { index: number; key: string }[] }[] }

/** Checks each record by itself and gathers the good ones by tenant (USE-1). */
const judge = async (
  deps: HttpDeps,
  credential: Credential,
  records: readonly unknown[],
  correlationId: string,
): Promise<Judged> => {
  const nowMs = deps.clock.nowMs()
  const { meters, policies } = deps.catalog().file
  const rules = meterRules(meters)
  const outcomes: UsageOutcome[] = []
  const byTenant = new Map<string, { live: LiveCustomer | null; entry: Judged['works'][number] | null }>()
  for (let index = 0; index < records.length; index++) {
    const raw = records[index]
    const invalid = (code: NonNullable<UsageOutcome['code']>, detail: string) => {
      const key = (raw as { idempotencyKey?: unknown } | null)?.idempotencyKey
      outcomes[index] = {
        index,
        idempotencyKey: typeof key === 'string' ? key.slice(0, 255) : null,
        status: 'invalid',
        allowed: false,
        code,
        detail,
        used: null,
        limit: null,
      }
    }
    if (!fitsRecord(raw)) {
      invalid(
        'invalid_record',
        fieldErrors(fitsRecord.errors ?? [], 'record')
          .map((error) => `${error.field} ${error.message}`)
          .join('; '),
      )
      continue
    }
    const record = raw as UsageRecord
    const tenantId = record.tenantId ?? credential.tenantId
    if (tenantId === null) {
      invalid('tenant_required', 'This key serves several tenants: each record names its own.')
      continue
    }
    let known = byTenant.get(tenantId)
    if (!known) {
      // Another tenant's id answers exactly like an unknown one (CUS-2).
      const live = await requireTenant(deps, credential, tenantId, correlationId, 'reportUsage')
        .then(() => liveCustomer(deps, tenantId, nowMs))
        .catch(nullIfNotFound)
      known = { live, entry: null }
      byTenant.set(tenantId, known)
    }
    if (!known.live) {
      invalid('customer_unknown', 'Nothing is known of this tenant.')
      continue
    }
    const prepared = prepareReport(record, rules.get(record.meter), policies.usage, nowMs)
    if (isProblem(prepared)) {
      invalid(prepared.code, prepared.detail)
      continue
    }
    known.entry ??= {
      work: {
        tenantId,
        customerId: known.live.customerId,
        live: known.live,
        records: [],
        atomic: false,
        correlationId,
      },
      places: [],
    }
    known.entry.work.records.push(prepared)
    known.entry.places.push({ index, key: prepared.idempotencyKey })
  }
  return { outcomes, works: [...byTenant.values()].flatMap(({ entry }) => (entry ? [entry] : [])) }
}

const nullIfNotFound = (error: unknown): null => {
  if ((error as { code?: string }).code === 'not_found') return null
  throw error
}

/** A single record that does not fit is a problem of the request, in the words of the outcome. */
const failSingle = (outcome: UsageOutcome): never => {
  const errors = [
    {
      field: outcome.code === 'invalid_record' ? 'record' : (fieldOf[outcome.code ?? 'invalid_record'] ?? 'record'),
      message: outcome.detail ?? 'does not fit',
    },
  ]
  const extra = { usageCode: outcome.code }
  switch (outcome.code) {
    case 'meter_unknown':
    case 'meter_derived':
      throw fail('meter_unknown', { errors, extra })
    case 'tenant_required':
      throw fail('tenant_required', { errors })
    case 'customer_unknown':
      throw fail('not_found')
    case 'idempotency_key_reused':
      throw fail('idempotency_key_reused')
    case 'quantity_negative':
    case 'quantity_not_whole':
    case 'quantity_out_of_range':
      throw fail('quantity_invalid', { errors, extra })
    case 'time_too_old':
    case 'time_in_future':
    case 'time_invalid':
      throw fail('time_out_of_range', { errors, extra })
    default:
      throw fail('invalid_request', { errors })
  }
}

const fieldOf: Partial<Record<NonNullable<UsageOutcome['code']>, string>> = {
  key_reserved: 'idempotencyKey',
  meter_unknown: 'meter',
  meter_derived: 'meter',
  property_missing: 'properties',
  tenant_required: 'tenantId',
  quantity_negative: 'quantity',
  quantity_not_whole: 'quantity',
  quantity_out_of_range: 'quantity',
  time_too_old: 'at',
  time_in_future: 'at',
  time_invalid: 'at',
}

export const usageHandlers: Handlers<'reportUsage' | 'getUsage'> = {
  reportUsage: async ({ deps, credential, body, requestId }): Promise<UsageAnswer> => {
    const isBatch = 'records' in body
    const records = isBatch ? body.records : [body]
    const { outcomes, works } = await judge(deps, credential, records, requestId)
    await Promise.all(
      works.map(async ({ work, places }) => {
        const results = await deps.recorder.record(work)
        places.forEach(({ index, key }, place) => {
          outcomes[index] = outcomeOf(index, key, results[place]!)
        })
      }),
    )
    if (!isBatch && outcomes[0]!.status === 'invalid') failSingle(outcomes[0]!)
    const counts = { accepted: 0, duplicate: 0, refused: 0, invalid: 0 }
    for (const outcome of outcomes) counts[outcome.status]++
    return {
      accepted: counts.accepted,
      duplicates: counts.duplicate,
      refused: counts.refused,
      invalid: counts.invalid,
      allowed: counts.refused + counts.invalid === 0,
      outcomes,
    }
  },

  getUsage: ({ deps, tenantId }) => readUsage(deps, tenantId),
}
