import { fail } from '../core/errors.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import type { InboxRow } from '../platform/inbox.ts'
import { notify } from '../platform/notify.ts'
import { lockWebhook, requeueWebhook } from '../platform/replay-inbox.ts'
import type { Deps } from './deps.ts'

/** Makes a webhook due again. Applying is idempotent, so this is safe for any that is not being worked on. */
export const replayWebhook = (deps: Deps, actor: Actor, webhookId: bigint): Promise<InboxRow> =>
  transact(deps.db, async (tx) => {
    const webhook = await lockWebhook(tx, webhookId)
    if (!webhook) throw fail('not_found')
    if (webhook.state === 'pending' || webhook.providerCustomerId === null) throw fail('webhook_not_replayable')
    await requeueWebhook(tx, webhookId, deps.clock.now())
    await appendAudit(tx, deps.clock, {
      tenantId: webhook.tenantId,
      actor,
      action: 'webhook.replay',
      object: String(webhookId),
      before: { state: webhook.state, attempts: webhook.attempts },
    })
    await notify(tx, { kind: 'inbox' })
    return (await lockWebhook(tx, webhookId))!
  })
