import type { CommandPreview, CommandResult } from '@turnpike/contract'
import { formatDay, formatInstant } from '../format/dates.ts'
import { intervalName } from '../format/interval.ts'
import { formatMoney } from '../format/money.ts'
import { plural } from '../format/quantity.ts'
import type { Wish } from './useSubscriptionCommand.ts'

type Terms = NonNullable<CommandPreview['after']>

/** `Scale, yearly, 12 seats`: terms as people say them. */
export function termsText(terms: Terms): string {
  const seats = terms.seats > 0 ? `, ${terms.seats} ${plural(terms.seats, 'seat')}` : ''
  return `${terms.plan.name}, ${intervalName(terms.interval).toLowerCase()}${seats}`
}

/** The whole of a preview in one or two sentences, with what is charged and when. */
export function previewSentence(preview: CommandPreview): string {
  const { action, timing, effectiveAt, before, after, dueNow, nextRenewal } = preview
  const plan = before?.plan.name ?? 'Your plan'
  const due = dueNow ? `${formatMoney(dueNow.amountDue, { explicit: true })} is due now` : 'Nothing is due now'
  const renewal = nextRenewal
    ? `the next charge is ${formatMoney(nextRenewal.invoice.amountDue, { explicit: true })} on ${formatDay(nextRenewal.at)}`
    : ''
  const money = renewal ? `${due}; ${renewal}.` : `${due}.`
  const when = timing === 'now' ? 'at once' : `on ${formatInstant(effectiveAt)}`
  switch (action) {
    case 'create':
    case 'change':
      return `${after ? termsText(after) : 'The change'} begins ${when}. ${money}`
    case 'cancel':
      return timing === 'now'
        ? `${plan} ends at once. ${due}.`
        : `${plan} works until ${formatInstant(effectiveAt)} and then ends. ${due}.`
    case 'undo_cancel':
      return `${plan} goes on as if it had never been cancelled. ${money}`
    case 'pause':
      return `${plan} is paused at once. ${due}.`
    case 'resume':
      return `${plan} goes on at once. ${money}`
    case 'undo_change':
      return `The change is taken back and ${plan} stays as it is. ${money}`
    case 'end_trial':
      return `The trial ends at once and ${plan} begins. ${money}`
  }
}

/** What the button that confirms says: what happens, what it costs and when. */
export function confirmLabel({ action, timing, effectiveAt, before, after, dueNow }: CommandPreview): string {
  const amount =
    dueNow && BigInt(dueNow.amountDue.amountMinor) > 0n
      ? `Pay ${formatMoney(dueNow.amountDue, { explicit: true })} and `
      : ''
  const lower = (text: string) => (amount === '' ? text : amount + text.charAt(0).toLowerCase() + text.slice(1))
  const on = timing === 'now' ? '' : ` on ${formatDay(effectiveAt)}`
  switch (action) {
    case 'create':
      return lower(`Start ${after?.plan.name ?? 'the plan'}`)
    case 'change': {
      const plan = after?.plan.name ?? 'the plan'
      return lower(
        before && after && before.plan.plan === after.plan.plan && before.interval === after.interval
          ? `Change ${plan}${on}`
          : `Switch to ${plan}${before?.interval === after?.interval ? '' : ` ${intervalName(after?.interval ?? '').toLowerCase()}`}${on}`,
      )
    }
    case 'cancel':
      return timing === 'now' ? 'End the plan now' : `End the plan on ${formatDay(effectiveAt)}`
    case 'undo_cancel':
      return 'Keep the plan'
    case 'pause':
      return 'Pause the plan'
    case 'resume':
      return lower('Resume the plan')
    case 'undo_change':
      return 'Take the change back'
    case 'end_trial':
      return lower('End the trial')
  }
}

/** What the server says has become of a command. */
export function outcomeWords(
  wish: Wish,
  { subscription, command }: CommandResult,
): { title: string; text: string; tone: 'ok' | 'info' | 'warning' } {
  const { plan, status, endsAt, pendingChange, renewsAt } = subscription
  if (command.state === 'queued' || command.state === 'under_way') {
    return {
      title: 'Agreed, and waiting for the payment provider',
      text: 'The payment provider does not answer at the moment. It is done as soon as it does; you need not ask again.',
      tone: 'info',
    }
  }
  if (status === 'incomplete' || pendingChange?.kind === 'payment_required') {
    return {
      title: 'One step is left: the payment',
      text: 'It begins as soon as the invoice is paid. Until then nothing changes.',
      tone: 'warning',
    }
  }
  const renewal = renewsAt ? ` It renews on ${formatInstant(renewsAt)}.` : ''
  switch (wish.action) {
    case 'create':
      return { title: `${plan.name} is on`, text: `Your plan has begun.${renewal}`, tone: 'ok' }
    case 'change':
      return pendingChange
        ? {
            title: `${pendingChange.to?.name ?? 'The change'} is scheduled`,
            text: `It begins on ${formatInstant(pendingChange.effectiveAt)}. Until then ${plan.name} stays as it is, and you can take the change back.`,
            tone: 'ok',
          }
        : { title: `You are on ${plan.name}`, text: `The change is in force.${renewal}`, tone: 'ok' }
    case 'cancel':
      return endsAt && status !== 'canceled'
        ? {
            title: `${plan.name} ends on ${formatDay(endsAt)}`,
            text: `Everything works until ${formatInstant(endsAt)}. You can undo the cancellation until then.`,
            tone: 'ok',
          }
        : { title: `${plan.name} has ended`, text: 'Nothing more is charged. You can export your data.', tone: 'ok' }
    case 'undo_cancel':
      return { title: `${plan.name} goes on`, text: `The cancellation was taken back.${renewal}`, tone: 'ok' }
    case 'pause':
      return {
        title: `${plan.name} is paused`,
        text: command.resumesAt
          ? `It goes on by itself on ${formatInstant(command.resumesAt)}, or earlier when you resume it.`
          : 'It goes on when you resume it.',
        tone: 'ok',
      }
    case 'resume':
      return { title: `${plan.name} is running again`, text: `The pause is over.${renewal}`, tone: 'ok' }
    case 'undo_change':
      return { title: 'The change was taken back', text: `${plan.name} stays as it is.${renewal}`, tone: 'ok' }
    case 'end_trial':
      return { title: `${plan.name} is yours`, text: `The trial is over and the plan has begun.${renewal}`, tone: 'ok' }
  }
}

/** Why a command is not possible, by the reason that the server names. */
export const notAllowedWords: Record<string, string> = {
  payment_due: 'An invoice is open. Pay it first, then change the plan.',
  ends_already: 'The plan has been cancelled already. Undo the cancellation first.',
  not_ending: 'The plan is not cancelled.',
  change_pending: 'A change is scheduled already. Take it back first.',
  nothing_pending: 'No change is scheduled.',
  ended: 'The plan has ended. Choose a plan to begin again.',
  status: 'The plan is in a state in which this cannot be done.',
  policy: 'Only support can decide this.',
}
