import {
  type ProblemCode,
  type SubscriptionStatus,
  subscriptionStatuses,
  type transitionTriggers,
} from '@turnpike/contract'

/**
 * The one table of a subscription's life (SUB-1): for every status that we hold, and for every thing that can happen to it,
 * what follows. Things happen in two ways: the provider reports a status (or that the subscription does not exist), or one
 * of our commands is asked for. No pair is left to a default; `docs/policies/status-transitions.md` is printed from here.
 */
export const transitionOf = (before: StatusBefore, reported: Reported): ReportDecision => reports[before][reported]

/** Whether a command may be asked of the provider in a status, and what is expected of it. Null status: no subscription. */
export const commandAllowed = (before: StatusBefore, command: SubscriptionCommand): CommandDecision =>
  commands[before][command]

export const statusesBefore = ['none', ...subscriptionStatuses] as const
export type StatusBefore = (typeof statusesBefore)[number]

/** `missing`: the provider, asked for this very subscription, says that it does not exist. Absence from a list is not that. */
export const reportedStates = [...subscriptionStatuses, 'missing'] as const
type Reported = (typeof reportedStates)[number]

export const subscriptionCommands = [
  'start',
  'change_plan',
  'change_quantity',
  'cancel_now',
  'cancel_at_period_end',
  'undo_cancellation',
  'pause',
  'resume',
  'undo_change',
  'reactivate',
  'dunning_cancel',
  'end_trial',
] as const
export type SubscriptionCommand = (typeof subscriptionCommands)[number]

/** What brought a change of status about, as events and audit name it. */
type TransitionTrigger = (typeof transitionTriggers)[number]

/** Which time counts for a change (SUB-8): one that the provider tells, or the time at which we saw it. */
export type EffectiveTime =
  | 'started_at'
  | 'trial_end'
  | 'period_start'
  | 'period_end'
  | 'paused_at'
  | 'ended_at'
  | 'now'

type AnnouncedAs = 'subscription.created' | 'subscription.updated' | 'subscription.canceled'

type Change = {
  after: SubscriptionStatus
  trigger: TransitionTrigger
  effective: EffectiveTime
  events: readonly AnnouncedAs[]
}
type ReportDecision =
  /** Known from now on. */
  | ({ kind: 'begin' } & Change)
  /** An allowed step, or several at once when looks lie far apart: `via` names what was passed unseen. */
  | ({ kind: 'move'; via: readonly SubscriptionStatus[] } & Change)
  /** The status is as before; other fields may differ. */
  | { kind: 'same'; effective: 'period_start' }
  /** Dropped, with a record: nothing leads from here to there. */
  | { kind: 'stale'; reason: string }
  /** No allowed steps lead there, but the provider decides: applied and recorded. */
  | ({ kind: 'unexpected'; reason: string } & Change)
type CommandDecision =
  | { kind: 'begin' | 'move'; after: SubscriptionStatus; effective: EffectiveTime }
  | { kind: 'same'; effective: EffectiveTime }
  | { kind: 'refuse'; problem: ProblemCode; reason: 'no_subscription' | 'live' | 'status' | 'payment_due' | 'ended' }

const created = ['subscription.created'] as const
const updated = ['subscription.updated'] as const
const ended = ['subscription.canceled'] as const

const same: ReportDecision = { kind: 'same', effective: 'period_start' }
const begin = (
  after: SubscriptionStatus,
  trigger: TransitionTrigger,
  effective: EffectiveTime = 'started_at',
  // One that began and ended before we looked has begun here too: who follows the events meets no end without a start.
  events: readonly AnnouncedAs[] = created,
): ReportDecision => ({ kind: 'begin', after, trigger, effective, events })
const move = (
  after: SubscriptionStatus,
  trigger: TransitionTrigger,
  effective: EffectiveTime = 'now',
  via: readonly SubscriptionStatus[] = [],
): ReportDecision => ({ kind: 'move', after, trigger, effective, events: updated, via })
const end = (after: SubscriptionStatus, trigger: TransitionTrigger): ReportDecision => ({
  kind: 'move',
  after,
  trigger,
  effective: 'ended_at',
  events: ended,
  via: [],
})
const unexpected = (after: SubscriptionStatus, reason: string): ReportDecision => ({
  kind: 'unexpected',
  after,
  trigger: 'contradiction',
  effective: after === 'incomplete_expired' ? 'ended_at' : 'now',
  events: after === 'incomplete_expired' ? ended : updated,
  reason,
})
const gone: ReportDecision = {
  kind: 'unexpected',
  after: 'canceled',
  trigger: 'missing',
  effective: 'now',
  events: ended,
  reason: 'the provider does not know this subscription any more',
}
const stale: ReportDecision = { kind: 'stale', reason: 'nothing leads out of an ended subscription' }
const unstarted = 'a subscription that has begun cannot wait for its first payment again'
const unstartedEnd = 'a subscription that has begun cannot expire for want of its first payment'

const reports: Record<StatusBefore, Record<Reported, ReportDecision>> = {
  none: {
    incomplete: begin('incomplete', 'started'),
    incomplete_expired: begin('incomplete_expired', 'found', 'ended_at', [...created, ...ended]),
    trialing: begin('trialing', 'trial_started'),
    active: begin('active', 'started'),
    past_due: begin('past_due', 'found'),
    unpaid: begin('unpaid', 'found'),
    paused: begin('paused', 'found'),
    canceled: begin('canceled', 'found', 'ended_at', [...created, ...ended]),
    missing: same,
  },
  incomplete: {
    incomplete: same,
    incomplete_expired: end('incomplete_expired', 'expired'),
    trialing: move('trialing', 'trial_started', 'now', ['active']),
    active: move('active', 'payment_succeeded'),
    past_due: move('past_due', 'payment_failed', 'now', ['active']),
    unpaid: move('unpaid', 'retries_exhausted', 'now', ['active', 'past_due']),
    paused: move('paused', 'paused', 'paused_at', ['active']),
    canceled: end('canceled', 'canceled'),
    missing: gone,
  },
  trialing: {
    incomplete: unexpected('incomplete', unstarted),
    incomplete_expired: unexpected('incomplete_expired', unstartedEnd),
    trialing: same,
    active: move('active', 'trial_ended', 'trial_end'),
    past_due: move('past_due', 'payment_failed', 'now', ['active']),
    unpaid: move('unpaid', 'retries_exhausted', 'now', ['active', 'past_due']),
    paused: move('paused', 'trial_ended', 'trial_end'),
    canceled: end('canceled', 'canceled'),
    missing: gone,
  },
  active: {
    incomplete: unexpected('incomplete', unstarted),
    incomplete_expired: unexpected('incomplete_expired', unstartedEnd),
    trialing: move('trialing', 'trial_started'),
    active: same,
    past_due: move('past_due', 'payment_failed'),
    unpaid: move('unpaid', 'retries_exhausted', 'now', ['past_due']),
    paused: move('paused', 'paused', 'paused_at'),
    canceled: end('canceled', 'canceled'),
    missing: gone,
  },
  past_due: {
    incomplete: unexpected('incomplete', unstarted),
    incomplete_expired: unexpected('incomplete_expired', unstartedEnd),
    trialing: move('trialing', 'trial_started', 'now', ['active']),
    active: move('active', 'payment_succeeded'),
    past_due: same,
    unpaid: move('unpaid', 'retries_exhausted'),
    paused: move('paused', 'paused', 'paused_at'),
    canceled: end('canceled', 'canceled'),
    missing: gone,
  },
  unpaid: {
    incomplete: unexpected('incomplete', unstarted),
    incomplete_expired: unexpected('incomplete_expired', unstartedEnd),
    trialing: move('trialing', 'trial_started', 'now', ['active']),
    active: move('active', 'payment_succeeded'),
    past_due: move('past_due', 'payment_failed', 'now', ['active']),
    unpaid: same,
    paused: move('paused', 'paused', 'paused_at', ['active']),
    canceled: end('canceled', 'canceled'),
    missing: gone,
  },
  paused: {
    incomplete: unexpected('incomplete', unstarted),
    incomplete_expired: unexpected('incomplete_expired', unstartedEnd),
    trialing: move('trialing', 'trial_started', 'now', ['active']),
    active: move('active', 'resumed'),
    past_due: move('past_due', 'payment_failed', 'now', ['active']),
    unpaid: move('unpaid', 'retries_exhausted', 'now', ['active', 'past_due']),
    paused: same,
    canceled: end('canceled', 'canceled'),
    missing: gone,
  },
  incomplete_expired: {
    incomplete: stale,
    incomplete_expired: same,
    trialing: stale,
    active: stale,
    past_due: stale,
    unpaid: stale,
    paused: stale,
    canceled: stale,
    missing: same,
  },
  canceled: {
    incomplete: stale,
    incomplete_expired: stale,
    trialing: stale,
    active: stale,
    past_due: stale,
    unpaid: stale,
    paused: stale,
    canceled: same,
    missing: same,
  },
}

const starts: CommandDecision = { kind: 'begin', after: 'active', effective: 'started_at' }
const keeps = (effective: EffectiveTime = 'now'): CommandDecision => ({ kind: 'same', effective })
const moves = (after: SubscriptionStatus, effective: EffectiveTime = 'now'): CommandDecision => ({
  kind: 'move',
  after,
  effective,
})
const held: CommandDecision = { kind: 'refuse', problem: 'subscription_held', reason: 'live' }
const unfit: CommandDecision = { kind: 'refuse', problem: 'command_not_allowed', reason: 'status' }
const payFirst: CommandDecision = { kind: 'refuse', problem: 'command_not_allowed', reason: 'payment_due' }
const over: CommandDecision = { kind: 'refuse', problem: 'command_not_allowed', reason: 'ended' }
const nobody: CommandDecision = { kind: 'refuse', problem: 'not_found', reason: 'no_subscription' }

const commands: Record<StatusBefore, Record<SubscriptionCommand, CommandDecision>> = {
  none: {
    start: starts,
    change_plan: nobody,
    change_quantity: nobody,
    cancel_now: nobody,
    cancel_at_period_end: nobody,
    undo_cancellation: nobody,
    pause: nobody,
    resume: nobody,
    undo_change: nobody,
    reactivate: nobody,
    dunning_cancel: nobody,
    end_trial: nobody,
  },
  // Until its first payment nothing of a subscription can be changed; it expires by itself.
  incomplete: {
    start: held,
    change_plan: payFirst,
    change_quantity: payFirst,
    cancel_now: moves('canceled'),
    cancel_at_period_end: payFirst,
    undo_cancellation: unfit,
    pause: payFirst,
    resume: unfit,
    undo_change: unfit,
    reactivate: held,
    dunning_cancel: unfit,
    end_trial: unfit,
  },
  // A trial costs nothing, so there is nothing to pause and nothing owed.
  trialing: {
    start: held,
    change_plan: keeps(),
    change_quantity: keeps(),
    cancel_now: moves('canceled'),
    cancel_at_period_end: keeps('trial_end'),
    undo_cancellation: keeps(),
    pause: unfit,
    resume: unfit,
    undo_change: keeps(),
    reactivate: held,
    dunning_cancel: unfit,
    end_trial: moves('active'),
  },
  active: {
    start: held,
    change_plan: keeps(),
    change_quantity: keeps(),
    cancel_now: moves('canceled'),
    cancel_at_period_end: keeps('period_end'),
    undo_cancellation: keeps(),
    pause: moves('paused'),
    resume: unfit,
    undo_change: keeps(),
    reactivate: held,
    dunning_cancel: unfit,
    end_trial: unfit,
  },
  // While money is owed nothing is changed that would credit time that was never paid for.
  past_due: {
    start: held,
    change_plan: payFirst,
    change_quantity: payFirst,
    cancel_now: moves('canceled'),
    cancel_at_period_end: keeps('period_end'),
    undo_cancellation: keeps(),
    pause: payFirst,
    resume: unfit,
    undo_change: keeps(),
    reactivate: held,
    dunning_cancel: moves('canceled'),
    end_trial: unfit,
  },
  unpaid: {
    start: held,
    change_plan: payFirst,
    change_quantity: payFirst,
    cancel_now: moves('canceled'),
    cancel_at_period_end: keeps('period_end'),
    undo_cancellation: keeps(),
    pause: payFirst,
    resume: unfit,
    undo_change: keeps(),
    reactivate: held,
    dunning_cancel: moves('canceled'),
    end_trial: unfit,
  },
  // A paused subscription has no period that goes on: it is resumed or ended.
  paused: {
    start: held,
    change_plan: unfit,
    change_quantity: unfit,
    cancel_now: moves('canceled'),
    cancel_at_period_end: unfit,
    undo_cancellation: keeps(),
    pause: unfit,
    resume: moves('active'),
    undo_change: keeps(),
    reactivate: held,
    dunning_cancel: moves('canceled'),
    end_trial: unfit,
  },
  incomplete_expired: {
    start: starts,
    change_plan: over,
    change_quantity: over,
    cancel_now: over,
    cancel_at_period_end: over,
    undo_cancellation: over,
    pause: over,
    resume: over,
    undo_change: over,
    reactivate: starts,
    dunning_cancel: over,
    end_trial: over,
  },
  canceled: {
    start: starts,
    change_plan: over,
    change_quantity: over,
    cancel_now: over,
    cancel_at_period_end: over,
    undo_cancellation: over,
    pause: over,
    resume: over,
    undo_change: over,
    reactivate: starts,
    dunning_cancel: over,
    end_trial: over,
  },
}
