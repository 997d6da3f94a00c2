import { fail } from '../core/errors.ts'
import type { createBatcher } from '../platform/batch.ts'
import { systemClock } from '../platform/clock.ts'
import type { NewWebhook } from '../platform/inbox.ts'
import { counter } from '../platform/telemetry.ts'
import type { Deps } from './deps.ts'
import type { RefusedWebhooks } from './steps/record-refused-webhooks.ts'

export type WebhookIntake = ReturnType<typeof createBatcher<NewWebhook, void>>

const received = counter('turnpike_webhooks_received', 'Genuine webhooks stored, by what they concern')

/**
 * Verifies a webhook and answers once it is stored (WEB-1, WEB-2). A refusal is recorded as a security event. A database
 * that cannot be reached fails as `unavailable`, a full queue as `overloaded`, so that the provider sends it again.
 */
export const receiveWebhook = async (
  deps: Deps & { intake: WebhookIntake; refusedWebhooks: RefusedWebhooks },
  request: {
    provider: string
    rawBody: Buffer
    headers: Record<string, string | string[] | undefined>
    requestId: string
  },
): Promise<void> => {
  if (request.provider !== deps.provider.name) throw fail('not_found')
  // How long a request was on its way is told by the real time, also where the clock of billing was moved.
  const verdict = deps.provider.verifyWebhook(request.rawBody, request.headers, systemClock.now())
  if (!verdict.ok) {
    await deps.refusedWebhooks.add(verdict.refusal, request.requestId)
    throw fail('webhook_signature_invalid')
  }
  const { hint } = verdict
  // Genuine, but of the other world: acknowledged, so that it is not sent again, recorded, and never worked on.
  if (hint.wrongMode) await deps.refusedWebhooks.add('wrong_mode', request.requestId)
  await deps.intake.add({
    provider: request.provider,
    eventId: hint.eventId,
    type: hint.type,
    objectId: hint.objectId,
    providerCustomerId: hint.wrongMode ? null : hint.providerCustomerId,
    relevant: hint.concerns !== 'nothing',
    ignoredAs: hint.wrongMode ? 'wrong_mode' : 'not_relevant',
    createdAt: hint.createdAt,
    traceId: request.requestId,
  })
  received({ concerns: hint.wrongMode ? 'wrong_mode' : hint.concerns })
}
