import type { BillingStatus, MeterUsage, NextAction } from '@turnpike/contract'
import { formatDay, formatInstant } from '../format/dates.ts'
import { formatQuantity } from '../format/quantity.ts'
import type { Tone } from '../format/words.ts'
import { accessSentences } from '../format/words.ts'

export type Attention = {
  id: string
  tone: Tone
  title: string
  text: string
  /** The next actions of the server that this one stands for. */
  says: NextAction['action'][]
  action?: { label: string; does: 'portal' | 'page' | 'address' | 'return'; address?: string }
}

const threeDays = 3 * 86_400_000

/** What the customer should know first, the most severe first. The page shows one as a banner and the others below it. */
export function attentionOf(status: BillingStatus, meters: MeterUsage[], now: number): Attention[] {
  return [
    ...paymentProblem(status),
    ...restriction(status),
    ...remediation(status),
    ...retention(status),
    ...waiting(status),
    ...openCommand(status),
    ...unpaidChange(status),
    ...reachedLimits(meters),
    ...trialEnding(status, now),
    ...paused(status),
    ...ending(status),
    ...openCheckout(status),
  ]
}

function paymentProblem({ paymentProblem, accessLevel, dunning }: BillingStatus): Attention[] {
  if (!paymentProblem) return []
  const since = formatDay(paymentProblem.since)
  const invoice = paymentProblem.invoiceUrl
  const consequence = `${accessSentences[accessLevel] ?? ''}${whatComesNext(dunning)}`
  if (paymentProblem.kind === 'action_required') {
    return [
      {
        id: 'action_required',
        says: ['pay_invoice'],
        tone: 'danger',
        title: 'Your bank asks you to confirm a payment',
        text: `The payment of ${since} waits for your confirmation. ${consequence}`,
        action: invoice
          ? { label: 'Confirm payment', does: 'address', address: invoice }
          : { label: 'Open payment details', does: 'portal' },
      },
    ]
  }
  return [
    {
      id: 'payment_failed',
      says: ['update_payment_method'],
      tone: 'danger',
      title: 'A payment did not go through',
      text: `It was tried on ${since}. ${consequence}`,
      action: { label: 'Update payment method', does: 'portal' },
    },
  ]
}

/** What happens while it stays unpaid, by the stages of the policy (DUN-1). */
function whatComesNext(dunning: BillingStatus['dunning']): string {
  if (!dunning?.nextStage || !dunning.nextAt) return ''
  const end =
    dunning.cancelAt && dunning.cancelAt !== dunning.nextAt
      ? ` The plan ends on ${formatInstant(dunning.cancelAt)}.`
      : ''
  const when = formatInstant(dunning.nextAt)
  return dunning.nextStage === 'canceled'
    ? ` Unpaid, the plan ends on ${when}.`
    : ` Unpaid, this follows on ${when}: ${stageWords[dunning.nextStage] ?? dunning.nextStage}.${end}`
}

const stageWords: Partial<Record<string, string>> = {
  grace: 'days of grace, in which everything works',
  restricted: 'some features are switched off',
  read_only: 'you can look and export, but not create anything new',
  none: 'the plan is switched off',
}

function remediation({ remediation }: BillingStatus): Attention[] {
  if (!remediation) return []
  const { items, deadline, enforced, plan } = remediation
  const list = new Intl.ListFormat('en').format(
    items.map(({ name, reduceBy }) => `${name} by ${formatQuantity(reduceBy)}`),
  )
  return [
    {
      id: 'remediation',
      says: ['reduce_usage'],
      tone: enforced ? 'danger' : 'warning',
      title: enforced
        ? `More is in use than ${plan.name} allows`
        : `Reduce what is in use${deadline ? ` before ${formatInstant(deadline)}` : ''}`,
      text: `Reduce ${list}. ${enforced ? 'Until then nothing new is let in; what exists stays.' : 'Until then the limits of before hold; afterwards nothing new is let in.'}`,
      action: { label: 'See what to reduce', does: 'page', address: '/billing/usage' },
    },
  ]
}

function retention({ retention }: BillingStatus): Attention[] {
  if (!retention) return []
  return [
    {
      id: 'retention',
      says: ['export_data'],
      tone: 'warning',
      title: `Your plan ended on ${formatDay(retention.endedAt)}`,
      text: `Your data is kept until ${formatInstant(retention.deleteAt)}. Take it with you before, or choose a plan to keep it.`,
      action: { label: 'Export data', does: 'page', address: '/billing/data' },
    },
  ]
}

function openCommand({ command }: BillingStatus): Attention[] {
  if (!command) return []
  return [
    {
      id: 'command',
      says: [],
      tone: 'info',
      title:
        command.state === 'queued'
          ? `${commandNames[command.action]} is waiting`
          : `${commandNames[command.action]} is being worked on`,
      text: `Asked for on ${formatInstant(command.requestedAt)}. ${command.state === 'queued' ? 'The payment provider does not answer; it is done as soon as it does.' : 'This page looks again by itself.'} You need not ask again.`,
    },
  ]
}

const commandNames: Record<NonNullable<BillingStatus['command']>['action'], string> = {
  create: 'Your new plan',
  change: 'A change of the plan',
  cancel: 'The cancellation',
  undo_cancel: 'Undoing the cancellation',
  pause: 'The pause',
  resume: 'Resuming the plan',
  undo_change: 'Taking back the change',
  end_trial: 'The end of the trial',
}

function unpaidChange({ pendingChange, paymentProblem }: BillingStatus): Attention[] {
  if (pendingChange?.kind !== 'payment_required') return []
  return [
    {
      id: 'unpaid_change',
      says: ['undo_change'],
      tone: 'warning',
      title: `${pendingChange.to?.name ?? 'The change'} waits for its payment`,
      text: `It begins as soon as the invoice is paid, and is dropped on ${formatInstant(pendingChange.effectiveAt)} if it is not.`,
      // The payment has its own banner, with the invoice.
      ...(paymentProblem ? {} : { action: { label: 'Open payment details', does: 'portal' } }),
    },
  ]
}

function paused({ status, resumesAt, plan }: BillingStatus): Attention[] {
  if (status !== 'paused') return []
  return [
    {
      id: 'paused',
      says: ['resume'],
      tone: 'info',
      title: `${plan.name} is paused`,
      text: resumesAt
        ? `It goes on by itself on ${formatInstant(resumesAt)}. Nothing is charged until then.`
        : 'It goes on when you resume it. Nothing is charged until then.',
      action: { label: 'Resume now', does: 'page', address: '/billing/subscription/resume' },
    },
  ]
}

function restriction({ accessLevel, status, paymentProblem }: BillingStatus): Attention[] {
  if (paymentProblem || accessLevel === 'full' || status === 'no_subscription' || status === 'paused') return []
  const titles: Record<string, string> = {
    grace: 'You are in a grace period',
    restricted: 'Some features are switched off',
    read_only: 'Your account is read-only',
    none: 'Your plan is switched off',
  }
  return [
    {
      id: 'access',
      says: [],
      tone: accessLevel === 'none' ? 'danger' : 'warning',
      title: titles[accessLevel] ?? 'Access is limited',
      text: accessSentences[accessLevel] ?? '',
      action: { label: 'See plans', does: 'page', address: '/billing/plans' },
    },
  ]
}

function waiting({ pendingSync }: BillingStatus): Attention[] {
  if (!pendingSync) return []
  return [
    {
      id: 'pending_sync',
      says: ['wait_for_provider'],
      tone: 'info',
      title: 'Waiting for the payment provider to confirm',
      text: `Since ${formatInstant(pendingSync.since)}. This page looks again by itself; you need not pay twice.`,
      action: { label: 'See how it goes', does: 'return', address: pendingSync.checkoutId },
    },
  ]
}

function reachedLimits(meters: MeterUsage[]): Attention[] {
  const reached = meters.filter((meter) => meter.state === 'blocked' || meter.state === 'upgrade_available')
  const limited = reached.filter((meter) => meter.limit !== 0)
  if (limited.length === 0) return []
  const names = new Intl.ListFormat('en').format(limited.map((meter) => meter.name))
  const upgrade = limited.some((meter) => meter.upgradePlan !== null)
  return [
    {
      id: 'limit',
      says: ['upgrade_plan'],
      tone: 'danger',
      title: limited.length === 1 ? `${names}: limit reached` : `Limits reached: ${names}`,
      text: upgrade ? 'A larger plan has room at once.' : 'More is refused until the count starts again.',
      action: upgrade
        ? { label: 'Compare plans', does: 'page', address: '/billing/plans' }
        : { label: 'See usage', does: 'page', address: '/billing/usage' },
    },
  ]
}

function trialEnding({ status, trialEndsAt, endsAt }: BillingStatus, now: number): Attention[] {
  if (status !== 'trialing' || !trialEndsAt || endsAt || Date.parse(trialEndsAt) - now > threeDays) return []
  return [
    {
      id: 'trial',
      says: ['update_payment_method'],
      tone: 'warning',
      title: `Your trial ends on ${formatInstant(trialEndsAt)}`,
      text: 'The plan goes on as a paid one if a payment method is on file.',
      action: { label: 'Check payment method', does: 'portal' },
    },
  ]
}

function ending({ status, endsAt, plan }: BillingStatus): Attention[] {
  if (!endsAt || status === 'canceled') return []
  return [
    {
      id: 'ending',
      says: ['undo_cancellation'],
      tone: 'warning',
      title: `${plan.name} ends on ${formatInstant(endsAt)}`,
      text: 'Until then everything works. You can undo the cancellation.',
      action: { label: 'Keep the plan', does: 'page', address: '/billing/subscription/keep' },
    },
  ]
}

function openCheckout({ openCheckout, pendingSync }: BillingStatus): Attention[] {
  if (!openCheckout || pendingSync || !openCheckout.sessionUrl) return []
  const until = openCheckout.expiresAt ? ` It stays open until ${formatInstant(openCheckout.expiresAt)}.` : ''
  return [
    {
      id: 'checkout',
      says: ['finish_checkout'],
      tone: 'info',
      title: 'A checkout is not finished',
      text: `Nothing was charged yet.${until}`,
      action: { label: 'Go on with it', does: 'address', address: openCheckout.sessionUrl },
    },
  ]
}
