import { reminderOf, type SubscriptionRecord, saveReminder } from '../../modules/subscriptions/index.ts'
import { type Actor, appendAudit } from '../../platform/audit.ts'
import type { Tx } from '../../platform/db.ts'
import type { NewEvent } from '../../platform/outbox.ts'
import type { Deps } from '../deps.ts'
import { amountHeld } from './amount-held.ts'
import { subscriptionView } from './views.ts'

/**
 * The reminders that are due for a customer's subscriptions and were not given yet (SUB-3). Our own schedule comes here,
 * and so does every look at the provider, its notice of a trial's end among them: whoever is first gives the reminder.
 */
export const remindersDue = async (
  tx: Tx,
  deps: Pick<Deps, 'clock' | 'catalog'>,
  subscriptions: readonly SubscriptionRecord[],
  actor: Actor,
): Promise<NewEvent[]> => {
  const at = deps.clock.now()
  const catalog = deps.catalog()
  const events: NewEvent[] = []
  for (const record of subscriptions) {
    const reminder = reminderOf(record, catalog.file.policies.reminders, at)
    if (!reminder || !(await saveReminder(tx, record, reminder, at))) continue
    const about = reminder.about.toString()
    await appendAudit(tx, deps.clock, {
      tenantId: record.tenantId,
      actor,
      action: `subscription.${reminder.kind}`,
      object: record.subscriptionId,
      after: { about },
    })
    const subscription = subscriptionView(catalog, record)
    events.push(
      reminder.kind === 'trial_ending'
        ? {
            type: 'subscription.trial_ending',
            data: { subscription, endsAt: about, paymentMethodOnFile: record.standing.paymentMethodOnFile },
          }
        : {
            type: 'subscription.renewal_upcoming',
            data: { subscription, at: about, amount: amountHeld(catalog, record) },
          },
    )
  }
  return events
}
