import type { UsageOutcome } from '@turnpike/contract'
import { numberOfMicro } from '../../core/quantity.ts'
import type { RecordDecision } from '../../modules/usage/index.ts'

export type UsageResult = { decision: RecordDecision; limit: number | null }

/** One outcome of the API from one decision. */
export const outcomeOf = (index: number, idempotencyKey: string, { decision, limit }: UsageResult): UsageOutcome => {
  const base = { index, idempotencyKey }
  switch (decision.kind) {
    case 'accepted':
      return {
        ...base,
        status: 'accepted',
        allowed: true,
        code: null,
        detail: null,
        used: numberOfMicro(decision.used),
        limit,
      }
    case 'duplicate':
      return decision.earlier.outcome === 'accepted'
        ? {
            ...base,
            status: 'duplicate',
            allowed: true,
            code: null,
            detail: 'Reported before; counted once.',
            used: numberOfMicro(decision.earlier.used),
            limit,
          }
        : {
            ...base,
            status: 'refused',
            allowed: false,
            code: decision.earlier.code as UsageOutcome['code'],
            detail: 'Refused before; the answer to a key stays the same.',
            used: numberOfMicro(decision.earlier.used),
            limit: decision.earlier.limit,
          }
    case 'refused':
      return {
        ...base,
        status: 'refused',
        allowed: false,
        code: decision.code,
        detail: refusalText[decision.code],
        used: numberOfMicro(decision.used),
        limit: decision.limit,
      }
    case 'withdrawn':
      return {
        ...base,
        status: 'refused',
        allowed: false,
        code: 'limit_reached',
        detail: 'Another record of the same all-or-nothing request was refused.',
        used: numberOfMicro(decision.used),
        limit,
      }
    case 'reused':
      return {
        ...base,
        status: 'invalid',
        allowed: false,
        code: 'idempotency_key_reused',
        detail: 'This key was used for a record with another content.',
        used: null,
        limit: null,
      }
  }
}

const refusalText = {
  limit_reached: 'The hard limit would be exceeded; nothing was counted.',
  not_included: 'The feature is not included; nothing was counted.',
  access_restricted: 'Access is restricted; nothing was counted.',
  spend_cap_reached: "It would cost more than the customer's spend cap; nothing was counted.",
}
