import { formatDay, formatInstant } from './dates.ts'
import { formatMoney } from './money.ts'
import { formatQuantity, plural } from './quantity.ts'

type Data = Record<string, unknown>

/** What a domain event says, as a sentence; one that this build does not know is shown by its type. */
export function eventSentence(type: string, data: Data): string {
  return sentences[type]?.(data) ?? type
}

const sentences: Record<string, (data: Data) => string> = {
  'subscription.created': ({ subscription }) => `Subscription known: ${planOf(subscription)}`,
  'subscription.updated': (data) =>
    `Subscription updated${list('changed', data.changed)}${transition(data.transition)}`,
  'subscription.canceled': (data) => `Subscription ended${transition(data.transition)}`,
  'subscription.trial_ending': ({ endsAt, paymentMethodOnFile }) =>
    `Trial ends ${day(endsAt)}${paymentMethodOnFile === false ? ', without a payment method' : ''}`,
  'subscription.renewal_upcoming': ({ at, amount }) => `Renews ${day(at)}${money(amount)}`,
  'subscription.change_failed': ({ action, code }) => `A command had no effect: ${words(action)}, ${words(code)}`,
  'invoice.paid': ({ invoice }) => `Invoice paid${numberOf(invoice)}`,
  'invoice.payment_failed': ({ invoice }) =>
    `Payment failed${numberOf(invoice)}${record(invoice).actionRequired === true ? ', the bank wants a confirmation' : ''}`,
  'invoice.updated': ({ invoice }) => `Invoice ${words(record(invoice).status ?? 'updated')}${numberOf(invoice)}`,
  'entitlements.updated': (data) =>
    `Entitlements version ${data.version} announced${list('gained', data.gained)}${list('lost', data.lost)}${list('changed', data.changed)}`,
  'usage.updated': ({ meters }) =>
    Array.isArray(meters) ? `Usage counted: ${meters.map(counted).join(', ')}` : 'Usage counted',
  'usage.threshold_reached': ({ percent, feature }) => `${percent}% of ${feature} used`,
  'dunning.stage_reached': (data) =>
    `Dunning: ${data.stage === 'canceled' ? 'the subscription has ended unpaid' : `${words(data.stage)} since ${instant(data.since)}`}${
      text(data.nextStage) ? `, then ${words(data.nextStage)} ${day(data.nextAt)}` : ''
    }`,
  'dunning.reminded': ({ amount }) => `Reminded of the unpaid invoice${money(amount)}`,
  'dunning.recovered': ({ outcome, amount }) =>
    `Dunning ended: ${outcome === 'written_off' ? 'written off' : 'paid'}${money(amount)}`,
  'downgrade.remediation_started': (data) =>
    `More in use than ${data.plan} allows${items(data.items)}${until(data.deadline)}`,
  'downgrade.remediation_reminded': (data) =>
    `Still more in use than ${data.plan} allows${items(data.items)}${until(data.deadline)}`,
  'downgrade.remediation_met': ({ plan }) => `What is in use fits ${plan}`,
  'downgrade.remediation_enforced': (data) =>
    `The limits of ${data.plan} hold${items(data.items)}; nothing was destroyed`,
  'retention.started': ({ deleteAt }) =>
    `The last subscription has ended; data is kept until ${day(deleteAt).replace('on ', '')}`,
  'retention.export_ending': ({ days, deleteAt }) =>
    `${days} ${plural(Number(days), 'day')} until deletion ${day(deleteAt)}`,
  'retention.ended': () => 'Nothing will be deleted: there is a subscription again',
  'retention.deleted': () => 'What may be deleted was deleted; invoices, subscriptions and audit stay',
  'export.created': ({ expiresAt }) => `An archive was made; its link works until ${instant(expiresAt)}`,
  'owner.transfer_requested': ({ expiresAt }) => `Billing ownership was offered, open until ${instant(expiresAt)}`,
  'owner.changed': ({ personId, previousPersonId }) =>
    personId && previousPersonId
      ? `Billing owner changed from ${previousPersonId} to ${personId}`
      : personId
        ? `${personId} is billing owner`
        : `${previousPersonId} is no longer billing owner`,
  'owner.transfer_ended': ({ state }) => `The offer of billing ownership ended: ${words(state)}`,
  'usage.corrected': ({ meter, action, before, after }) =>
    `Usage of ${words(meter ?? 'a meter')} ${action === 'void' ? 'taken back' : 'corrected'}${
      typeof before === 'number' && typeof after === 'number'
        ? `: ${formatQuantity(before)} → ${formatQuantity(after)}`
        : ''
    }`,
  'usage_period.rated': ({ amount }) => `Usage of a period charged${money(amount)}`,
  'usage_period.adjusted': ({ amount }) => `Later usage or a correction charged${money(amount)}`,
  'usage_period.placed': ({ amount }) => `Usage is on an invoice${money(amount)}`,
  'budget.updated': ({ budget }) =>
    budget ? `Budget set${money(record(budget).amount)}${record(budget).cap ? ', as a cap' : ''}` : 'Budget taken away',
  'budget.alert': ({ percent, cost, refusing }) =>
    refusing ? `Spend cap reached, usage is refused${money(cost)}` : `${percent}% of the budget used${money(cost)}`,
  'credit.requested': ({ grant }) => `Credit waits for a second person${money(record(grant).amount)}`,
  'credit.decided': ({ decision, grant }) => `Credit ${words(decision)}${money(record(grant).amount)}`,
  'credit.granted': ({ grant }) =>
    `Credit granted${money(record(grant).amount)}${text(record(grant).reason) ? `: ${record(grant).reason}` : ''}`,
  'credit.burnt': ({ amount }) =>
    String(record(amount).amountMinor).startsWith('-')
      ? `Credit given back by a correction${money(amount)}`
      : `Credit paid for usage${money(amount)}`,
  'credit.expiring': ({ grant }) => `Credit ends ${day(record(grant).expiresAt)}${money(record(grant).left)}`,
  'credit.expired': ({ amount }) => `Credit ended unused${money(amount)}`,
  'credit.voided': ({ amount, reason }) => `Credit taken back${money(amount)}${text(reason) ? `: ${reason}` : ''}`,
  'credit.refunded': ({ amount, purchase }) =>
    String(record(amount).amountMinor).startsWith('-')
      ? `Credit is back, as a refund of ${words(record(purchase).name)} came to nothing${money(amount)}`
      : `Credit taken back with the refund of ${words(record(purchase).name)}${money(amount)}`,
  'purchase.completed': ({ purchase }) => `Bought ${words(record(purchase).name)}${money(record(purchase).amount)}`,
  'payment_methods.updated': ({ count, hasDefault }) =>
    `Payment methods changed: ${count} on file${hasDefault === true ? '' : ', none is the default'}`,
  'refund.requested': ({ refund }) => `A refund waits for a second person${money(record(refund).amount)}`,
  'refund.decided': ({ decision, refund }) => `Refund ${decided(decision)}${money(record(refund).amount)}`,
  'refund.issued': ({ refund }) => `Money is on its way back${money(record(refund).amount)}`,
  'refund.updated': ({ refund }) => `Refund ${words(record(refund).state)}${money(record(refund).amount)}`,
  'refund.failed': ({ refund }) =>
    `Refund failed${money(record(refund).amount)}${text(record(refund).failure) ? `, ${words(record(refund).failure)}` : ''}`,
  'credit_note.requested': ({ creditNote }) =>
    `A credit note waits for a second person${money(record(creditNote).amount)}`,
  'credit_note.decided': ({ decision, creditNote }) =>
    `Credit note ${decided(decision)}${money(record(creditNote).amount)}`,
  'credit_note.issued': ({ creditNote }) =>
    `Credit note issued${numberOf(creditNote)}${money(record(creditNote).amount)}`,
  'credit_note.updated': ({ creditNote }) => `Credit note changed${numberOf(creditNote)}`,
  'credit_note.failed': ({ creditNote }) => `Credit note refused${money(record(creditNote).amount)}`,
  'credit_note.voided': ({ creditNote }) => `Credit note is void${numberOf(creditNote)}`,
  'override.requested': ({ override }) => `An override of ${record(override).feature} waits for a second person`,
  'override.decided': ({ override, decision }) =>
    `The override of ${record(override).feature} was ${decision === 'expired' ? 'not decided in time' : words(decision)}`,
  'billing.updated': ({ status, plan }) => `Billing is now ${words(status)} on ${plan}`,
}

const decided = (decision: unknown): string => (decision === 'expired' ? 'not decided in time' : words(decision))
const list = (label: string, value: unknown): string =>
  Array.isArray(value) && value.length > 0 ? `, ${label} ${value.join(', ')}` : ''

function transition(value: unknown): string {
  const { from, to, trigger } = record(value)
  return to ? `: ${from ? `${words(from)} → ` : ''}${words(to)} (${words(trigger)})` : ''
}

function items(value: unknown): string {
  if (!Array.isArray(value) || value.length === 0) return ''
  return `: ${value
    .map(record)
    .map((item) => `${item.name} ${formatQuantity(Number(item.used))} of ${formatQuantity(Number(item.limit))}`)
    .join(', ')}`
}

const counted = (meter: unknown): string => `${record(meter).meter} ${formatQuantity(Number(record(meter).used))}`
const planOf = (subscription: unknown): string =>
  `${record(record(subscription).plan).name ?? 'a plan'}, ${words(record(subscription).status ?? 'new')}`
const numberOf = (invoice: unknown): string => (text(record(invoice).number) ? `: ${record(invoice).number}` : '')
const day = (value: unknown): string => (text(value) ? `on ${formatDay(String(value))}` : 'some day')
const instant = (value: unknown): string => (text(value) ? formatInstant(String(value)) : 'some time')
const until = (value: unknown): string => (text(value) ? `, until ${formatInstant(String(value))}` : '')
const money = (value: unknown): string => {
  const { amountMinor, currency } = record(value)
  return text(amountMinor) && text(currency)
    ? `: ${formatMoney({ amountMinor: String(amountMinor), currency: String(currency) }, { explicit: true })}`
    : ''
}
const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
const words = (value: unknown): string => String(value).replaceAll('_', ' ')
const record = (value: unknown): Data => (typeof value === 'object' && value !== null ? (value as Data) : {})
