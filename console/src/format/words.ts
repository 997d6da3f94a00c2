/** Every state of the contract in words, with its tone and icon: the one map that all pages read. */
export type Tone = 'neutral' | 'info' | 'ok' | 'warning' | 'danger'
export type StatusIcon = 'dot' | 'check' | 'clock' | 'alert' | 'stop' | 'up' | 'pause' | 'minus'
export type StatusWord = { word: string; tone: Tone; icon: StatusIcon }

const word = (word: string, tone: Tone, icon: StatusIcon): StatusWord => ({ word, tone, icon })

const subscription = {
  no_subscription: word('No subscription', 'neutral', 'minus'),
  pending_sync: word('Confirming', 'info', 'clock'),
  incomplete: word('Payment unfinished', 'warning', 'alert'),
  incomplete_expired: word('Payment expired', 'neutral', 'minus'),
  trialing: word('On trial', 'info', 'clock'),
  active: word('Active', 'ok', 'check'),
  past_due: word('Past due', 'warning', 'alert'),
  unpaid: word('Unpaid', 'danger', 'stop'),
  paused: word('Paused', 'neutral', 'pause'),
  canceled: word('Ended', 'neutral', 'minus'),
}

const access = {
  full: word('Full access', 'ok', 'check'),
  grace: word('Grace period', 'warning', 'clock'),
  restricted: word('Restricted', 'warning', 'alert'),
  read_only: word('Read-only', 'warning', 'alert'),
  none: word('No access', 'danger', 'stop'),
}

const meter = {
  available: word('In use', 'neutral', 'check'),
  nearing_limit: word('Near limit', 'warning', 'alert'),
  blocked: word('Limit reached', 'danger', 'stop'),
  upgrade_available: word('Limit reached', 'danger', 'up'),
  overage: word('Above included', 'warning', 'up'),
  unlimited: word('No limit', 'neutral', 'check'),
  not_included: word('Not included', 'neutral', 'minus'),
}

const checkout = {
  opening: word('Opening', 'info', 'clock'),
  open: word('Not paid yet', 'neutral', 'clock'),
  pending_sync: word('Confirming', 'info', 'clock'),
  completed: word('Completed', 'ok', 'check'),
  failed: word('Failed', 'danger', 'stop'),
  canceled: word('Canceled', 'neutral', 'minus'),
  expired: word('Expired', 'neutral', 'minus'),
}

const webhook = {
  pending: word('Waiting', 'info', 'clock'),
  applied: word('Applied', 'ok', 'check'),
  ignored: word('Ignored', 'neutral', 'minus'),
  retrying: word('Retrying', 'warning', 'clock'),
  dead: word('Dead', 'danger', 'stop'),
}

const result = { allowed: word('Allowed', 'ok', 'check'), denied: word('Denied', 'danger', 'stop') }

const origin = {
  override: word('Override', 'warning', 'up'),
  plan: word('Plan', 'neutral', 'check'),
  add_on: word('Add-on', 'info', 'up'),
  baseline: word('Baseline', 'neutral', 'dot'),
  none: word('Not granted', 'neutral', 'minus'),
}

const planStatus = {
  active: word('On offer', 'ok', 'check'),
  legacy: word('Legacy', 'neutral', 'clock'),
  archived: word('Archived', 'neutral', 'minus'),
}

const override = {
  waiting_for_approval: word('Waits for approval', 'info', 'clock'),
  rejected: word('Rejected', 'neutral', 'stop'),
  lapsed: word('Not decided in time', 'neutral', 'clock'),
  running: word('In force', 'ok', 'check'),
  expired: word('Expired', 'neutral', 'clock'),
  withdrawn: word('Withdrawn', 'neutral', 'minus'),
}

const credit = {
  waiting_for_approval: word('Waits for approval', 'info', 'clock'),
  active: word('Usable', 'ok', 'check'),
  used_up: word('Used up', 'neutral', 'check'),
  expired: word('Ended', 'neutral', 'clock'),
  voided: word('Taken back', 'neutral', 'minus'),
  rejected: word('Rejected', 'neutral', 'stop'),
  lapsed: word('Not decided in time', 'neutral', 'clock'),
}

const notice = {
  waiting: word('Waiting', 'info', 'clock'),
  sending: word('Sending', 'info', 'clock'),
  sent: word('Sent', 'ok', 'check'),
  retrying: word('Retrying', 'warning', 'clock'),
  failed: word('Failed', 'danger', 'stop'),
  skipped: word('Nobody to write to', 'neutral', 'minus'),
  not_configured: word('No mail server', 'neutral', 'minus'),
}

const severity = {
  critical: word('Critical', 'danger', 'stop'),
  warning: word('Warning', 'warning', 'alert'),
  notice: word('Notice', 'info', 'dot'),
  info: word('Information', 'neutral', 'dot'),
}

const finding = {
  open: word('Open', 'warning', 'alert'),
  repaired: word('Repaired', 'ok', 'check'),
  accepted: word('Accepted', 'neutral', 'check'),
  dismissed: word('Dismissed', 'neutral', 'minus'),
  gone: word('Gone by itself', 'neutral', 'check'),
}

const run = {
  running: word('Running', 'info', 'clock'),
  done: word('Done', 'ok', 'check'),
  failed: word('Failed', 'danger', 'stop'),
  stopped: word('Stopped', 'neutral', 'pause'),
}

const circuit = {
  closed: word('Answers', 'ok', 'check'),
  half_open: word('Being tried', 'warning', 'clock'),
  open: word('Not asked', 'danger', 'stop'),
  unknown: word('Not known', 'neutral', 'minus'),
}

const transfer = {
  requested: word('Waits for an answer', 'info', 'clock'),
  confirmed: word('Confirmed', 'ok', 'check'),
  declined: word('Declined', 'neutral', 'stop'),
  canceled: word('Taken back', 'neutral', 'minus'),
  expired: word('Expired', 'neutral', 'clock'),
}

const invoice = {
  draft: word('Draft', 'neutral', 'clock'),
  open: word('Open', 'warning', 'clock'),
  paid: word('Paid', 'ok', 'check'),
  uncollectible: word('Given up', 'danger', 'stop'),
  void: word('Void', 'neutral', 'minus'),
}

const payment = {
  open: word('Not paid', 'warning', 'clock'),
  paid: word('Paid', 'ok', 'check'),
  canceled: word('Not charged', 'neutral', 'minus'),
}

const moneyBack = {
  waiting_for_approval: word('Waits for approval', 'info', 'clock'),
  rejected: word('Rejected', 'neutral', 'stop'),
  expired: word('Not decided in time', 'neutral', 'clock'),
  asking: word('Being sent', 'info', 'clock'),
  pending: word('On its way', 'info', 'clock'),
  requires_action: word('Waits for the customer', 'warning', 'alert'),
  succeeded: word('Done', 'ok', 'check'),
  failed: word('Failed', 'danger', 'stop'),
  canceled: word('Taken back', 'neutral', 'minus'),
  issued: word('Issued', 'ok', 'check'),
  void: word('Void', 'neutral', 'minus'),
}

const usagePeriod = {
  open: word('Running', 'info', 'clock'),
  rated: word('Going on invoices', 'info', 'clock'),
  placed: word('On invoices', 'ok', 'check'),
  nothing_due: word('Nothing due', 'neutral', 'minus'),
  settled: word('Closed', 'neutral', 'check'),
}

const chargeLine = {
  placed: word('On an invoice', 'ok', 'check'),
  on_its_way: word('On its way', 'info', 'clock'),
  waits_for_next: word('Waits', 'info', 'clock'),
  of_nothing: word('Nothing due', 'neutral', 'minus'),
}

const close = {
  due: word('Over, not rated', 'info', 'clock'),
  placing: word('On its way', 'info', 'clock'),
  failing: word('Failing', 'warning', 'alert'),
}

const message = {
  info: word('For information', 'info', 'dot'),
  warning: word('Please look', 'warning', 'alert'),
  critical: word('Needs you', 'danger', 'stop'),
}

export const words = {
  usagePeriod,
  chargeLine,
  close,
  message,
  invoice,
  payment,
  moneyBack,
  subscription,
  access,
  meter,
  checkout,
  webhook,
  result,
  origin,
  planStatus,
  override,
  credit,
  notice,
  severity,
  finding,
  run,
  circuit,
  transfer,
}
export type WordGroup = keyof typeof words

/** A state that this build does not know yet is shown as it is, in neutral, rather than hidden. */
export function statusWord(group: WordGroup, state: string): StatusWord {
  const known = (words[group] as Record<string, StatusWord>)[state]
  return known ?? word(state.replaceAll('_', ' '), 'neutral', 'dot')
}

/** What an access level means to the person in front of the page. */
export const accessSentences: Record<string, string> = {
  full: 'Everything in the plan works.',
  grace: 'Everything still works while the payment problem is sorted out.',
  restricted: 'Some features are switched off until the payment problem is sorted out.',
  read_only: 'You can look at and export your data, but not create anything new.',
  none: 'Features of the plan are switched off.',
}
