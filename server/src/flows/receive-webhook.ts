import { fail } from '../core/errors.ts'
import { recordDenial } from '../platform/audit.ts'
import type { createBatcher } from '../platform/batch.ts'
import { systemClock } from '../platform/clock.ts'
import type { NewWebhook } from '../platform/inbox.ts'
import type { Deps } from './deps.ts'

export type WebhookIntake = ReturnType<typeof createBatcher<NewWebhook, void>>

/**
 * Verifies a webhook and answers once it is stored (WEB-1, WEB-2). A refusal is recorded as a security event. A database
 * that cannot be reached fails as `unavailable`, so that the provider sends it again.
 */
export const receiveWebhook = async (
  deps: Deps,
  intake: WebhookIntake,
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
    deps.log.warn({ refusal: verdict.refusal, requestId: request.requestId, security: true }, 'webhook refused')
    await recordDenial(deps.db, deps.clock, {
      tenantId: null,
      actor: { kind: 'anonymous', id: 'webhook sender', requestId: request.requestId },
      action: 'webhook.receive',
      object: request.provider,
      reason: verdict.refusal,
    })
    throw fail('webhook_signature_invalid')
  }
  const { notice } = verdict
  await intake.add({
    provider: request.provider,
    eventId: notice.eventId,
    type: notice.type,
    objectId: notice.objectId,
    providerCustomerId: notice.providerCustomerId,
    relevant: notice.concerns !== 'nothing',
    traceId: request.requestId,
  })
}
