import { formatMoney } from './money.ts'

type Detail = Record<string, unknown>

/** What somebody did or tried, as a sentence; an action that this build does not know is shown as it came. */
export function auditSentence(action: string, detail: Detail): string {
  const known = sentences[action] ?? command(action) ?? finding(action)
  const sentence = typeof known === 'function' ? known(record(detail.after), record(detail.before)) : (known ?? action)
  const denied = detail.result === 'denied' ? 'Denied: ' : ''
  const reason = typeof detail.reason === 'string' && detail.reason !== '' ? `, “${detail.reason}”` : ''
  return `${denied}${sentence}${reason}`
}

type Sentence = string | ((after: Detail, before: Detail) => string)

const sentences: Record<string, Sentence> = {
  'subscription.stale_fact': 'The provider told something older than what is known; nothing was changed',
  'subscription.unexpected_fact':
    'The provider told something that does not follow from before; it was applied and marked',
  'subscription.adopted': (after) => `The provider’s state was taken over${status(after)}`,
  'subscription.trial_ending': 'The end of the trial was announced',
  'subscription.renewal_upcoming': 'The renewal was announced',
  'dunning.started': 'Dunning began: an invoice is unpaid',
  'dunning.stage_reached': (after) => `Dunning reached ${stage(after.stage)}`,
  'dunning.reminded': 'The unpaid invoice was brought to mind again',
  'dunning.recovered': 'Dunning ended: the invoice is settled',
  'dunning.written_off': 'Dunning ended: the invoice was written off',
  'dunning.cancellation_asked': 'The provider was asked to end the unpaid subscription',
  'downgrade.remediation_started': 'Cleaning up began: more is in use than the smaller plan allows',
  'downgrade.remediation_reminded': 'Cleaning up was brought to mind again',
  'downgrade.remediation_met': 'Cleaning up ended: everything fits the smaller plan',
  'downgrade.remediation_enforced': 'The cleanup window ended: the smaller limits hold',
  'retention.started': 'The time after the last subscription began',
  'retention.reminded': 'The last chance to export was announced',
  'retention.read_only_over': 'The read-only time ended',
  'retention.postponed': 'Deletion was postponed: there was usage',
  'retention.ended': 'Deletion was called off: there is a subscription again',
  'retention.deleting': 'Deletion began',
  'retention.deleted': 'What may be deleted was deleted',
  'export.create': 'An archive of everything was asked for',
  'export.download': 'An archive was fetched',
  'owner.add': 'The first billing owner was named',
  'owner.leave': 'A billing owner left',
  'owner.transfer_request': 'Somebody was asked to become billing owner',
  'owner.transfer_confirmed': 'The new billing owner confirmed',
  'owner.transfer_declined': 'Billing ownership was declined',
  'owner.transfer_canceled': 'The offer of billing ownership was taken back',
  'owner.transfer_expired': 'The offer of billing ownership expired',
  'override.grant': (after) => `An override of ${after.feature ?? 'a feature'} was granted`,
  'override.request': (after) =>
    `An override of ${after.feature ?? 'a feature'} was asked for; a second person decides`,
  'override.approve': 'An override was approved by a second person',
  'override.reject': 'An override was rejected',
  'override.expire': 'Nobody decided an override in time',
  'override.withdraw': (_, before) => `The override of ${before.feature ?? 'a feature'} was withdrawn`,
  'payment_methods.updated': 'The payment methods were mirrored again',
  'refund.create': (after) => `A refund was agreed to${amountOf(after)}`,
  'refund.request': (after) => `A refund was asked for${amountOf(after)}; a second person decides`,
  'refund.approve': (after) => `A refund was approved by a second person${amountOf(after)}`,
  'refund.reject': 'A refund was rejected',
  'refund.expire': 'Nobody decided a refund in time',
  'refund.issued': (after) => `The provider has a refund${amountOf(after)}`,
  'refund.updated': (after) => `A refund came further${status({ status: after.state })}`,
  'refund.failed': 'A refund failed',
  'credit_note.create': (after) => `A credit note was agreed to${amountOf(after)}`,
  'credit_note.request': (after) => `A credit note was asked for${amountOf(after)}; a second person decides`,
  'credit_note.approve': (after) => `A credit note was approved by a second person${amountOf(after)}`,
  'credit_note.reject': 'A credit note was rejected',
  'credit_note.expire': 'Nobody decided a credit note in time',
  'credit_note.issued': (after) => `A credit note was issued${amountOf(after)}`,
  'credit_note.updated': 'A credit note changed',
  'credit_note.voided': 'A credit note was voided',
  'credit_note.failed': 'A credit note was refused',
  'usage_period.rated': (after) => `Usage of a period was rated${chargedOf(after)}`,
  'usage_period.adjusted': (after) => `Later usage or a correction was rated${chargedOf(after)}`,
  'charge_lines.placed': (after) => `Usage was put on an invoice${chargedOf(after)}`,
  'charge_lines.carried': 'Usage waits for the next invoice',
  'notice.resend': 'A message was sent again',
  'webhook.replay': 'A webhook was worked on once more',
  'webhooks.replay': (after) => `${after.total ?? 'Several'} webhooks were worked on once more`,
  'reconciliation.started': 'A comparison with the provider began',
  'reconciliation.finished': 'A comparison with the provider ended',
  'reconciliation.stopped': 'A comparison with the provider was stopped',
  'invoice.adopted': (after) => `An invoice was mirrored again${status(after)}`,
  'invoice.void_here': 'A mirrored invoice was marked as void',
  'provider_customer.linked': 'The provider’s customer was linked',
  'provider_customer.deleted': 'The link to the provider’s customer was forgotten: it is gone there',
  'usage.counter_rebuilt': 'A usage counter was set to what its records add up to',
  'checkout.open': 'A hosted checkout was opened',
  'checkout.expired': 'A checkout expired',
  'portal.open': 'The portal was opened',
  'customer.create': 'The customer was created',
  'customer.update': 'The customer was changed',
}

const commands: Record<string, string> = {
  create: 'a subscription',
  change: 'a change of the subscription',
  cancel: 'the cancellation',
  undo_cancel: 'taking the cancellation back',
  pause: 'the pause',
  resume: 'the end of the pause',
  undo_change: 'taking the change back',
  end_trial: 'the end of the trial',
}

/** `subscription.<command>.<what became of it>`. */
function command(action: string): Sentence | undefined {
  const [, name = '', end = ''] = /^subscription\.([a-z_]+)\.(requested|done|failed)$/.exec(action) ?? []
  const what = commands[name]
  if (!what) return undefined
  if (end === 'requested') return `Asked for: ${what}`
  return end === 'done'
    ? `Done: ${what}`
    : (after) => `Failed: ${what}${after.failure ? ` (${words(after.failure)})` : ''}`
}

const closed: Record<string, string> = {
  opened: 'A difference from the provider was found',
  reopened: 'A difference from the provider was found again',
  repaired: 'A difference from the provider was repaired',
  accepted: 'A difference from the provider was accepted as meant',
  dismissed: 'A finding was dismissed',
  gone: 'A difference from the provider has gone by itself',
}

function finding(action: string): Sentence | undefined {
  const sentence = action.startsWith('finding.') ? closed[action.slice('finding.'.length)] : undefined
  return sentence && ((after, before) => `${sentence}${kind(after) || kind(before)}`)
}

const kind = (of: Detail): string => (typeof of.kind === 'string' ? `: ${words(of.kind)}` : '')
const amountOf = ({ amount, currency }: Detail): string =>
  typeof amount === 'string' && typeof currency === 'string'
    ? `: ${formatMoney({ amountMinor: amount, currency }, { explicit: true })}`
    : ''
const chargedOf = ({ amountMinor, currency }: Detail): string => amountOf({ amount: amountMinor, currency })
const status = (after: Detail): string => (typeof after.status === 'string' ? `: ${words(after.status)}` : '')
const stage = (value: unknown): string =>
  value === 'canceled' ? 'the end of the subscription' : words(value ?? 'a stage')
const words = (value: unknown): string => String(value).replaceAll('_', ' ')
const record = (value: unknown): Detail => (typeof value === 'object' && value !== null ? (value as Detail) : {})
