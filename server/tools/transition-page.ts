import { readFileSync } from 'node:fs'
import { subscriptionStatuses } from '@turnpike/contract'
import { parseCatalog } from '../src/modules/catalog/index.ts'
import {
  accessLevelOf,
  commandAllowed,
  reportedStates,
  type StatusBefore,
  statusesBefore,
  subscriptionCommands,
  transitionOf,
} from '../src/modules/subscriptions/index.ts'
import { canonicalStatuses } from '../src/providers/stripe/translate.ts'

const root = new URL('../../', import.meta.url)
const parsed = parseCatalog(readFileSync(new URL('catalog/acme.yaml', root), 'utf8'))
if (!parsed.ok) throw new Error('catalog/acme.yaml has mistakes')
const access = parsed.file.policies.access

/** `docs/policies/status-transitions.md`, from the table that decides (SUB-1, SUB-2, SUB-8). */
export const transitionPage = (): string =>
  [
    '<!-- Generated from server/src/modules/subscriptions/transition.ts by `npm run generate`. Do not edit. -->',
    '# Status transitions of a subscription',
    'The payment provider decides what a subscription is; Turnpike asks it again after every notice, and takes over the answer by the table below. Every pair of status and report is decided; no pair is left to a default.',
    '## Statuses and access',
    'Access by status is a policy of the catalog (`policies.access`); the column shows the demonstration catalog. Paid grants need `full` or `grace`. Staged dunning and overrides may lower or add to it.',
    table(
      ['Status', 'Meaning', 'Access (acme)', 'From Stripe’s status'],
      subscriptionStatuses.map((status) => [
        `\`${status}\``,
        meanings[status],
        accessLevelOf(status, access),
        Object.entries(canonicalStatuses)
          .flatMap(([theirs, ours]) => (ours === status ? [`\`${theirs}\``] : []))
          .join(', '),
      ]),
    ),
    'A status of the provider that is not listed is never guessed at: the subscription stays as it was, and the log tells it.',
    '## What the provider reports',
    'Rows: the status that we hold. Columns: the status reported; `missing` means that the provider, asked for this very subscription, does not know it.',
    table(
      ['', ...reportedStates.map((reported) => `\`${reported}\``)],
      statusesBefore.map((before) => [
        `**${before}**`,
        ...reportedStates.map((reported) => cell(transitionOf(before, reported))),
      ]),
    ),
    [
      '- A trigger name: an allowed step; it is in `transition.trigger` of the event. *(via …)*: steps that lie between two looks were not seen.',
      '- **!** Not expected: the provider decides, so it is applied, and `subscription.unexpected_fact` is recorded in the audit.',
      '- **stale**: nothing leads there; dropped, and `subscription.stale_fact` is recorded in the audit, once.',
      '- **=** The status stays; other fields are compared and taken over.',
    ].join('\n'),
    '## Events',
    'A beginning gives `subscription.created`, an end `subscription.canceled`, everything else `subscription.updated`. One that began and ended before it was first seen gives both. `transition` is null where the status stays.',
    '## Commands',
    'What our own commands may ask of the provider in each status. Commands never write a status: they ask, and what the provider then reports is taken over as above.',
    table(
      ['', ...statusesBefore.map((before) => `\`${before}\``)],
      subscriptionCommands.map((command) => [
        `\`${command}\``,
        ...statusesBefore.map((before: StatusBefore) => commandCell(commandAllowed(before, command))),
      ]),
    ),
    '→ the status that is expected; “yes”: the status stays; otherwise why it is refused: `live` there is one already, `status` makes no sense in it, `payment_due` pay first, `ended` nothing leads out of it.',
    '## From when a change counts',
    'Each event and audit entry carries `effectiveAt`:',
    table(
      ['Kind of change', 'Time that counts'],
      [
        ['Begin', 'the provider’s start of the subscription'],
        [
          'Trial ends, paid or paused',
          'the end of the trial; of one that was ended early, the start of the first paid period',
        ],
        ['Renewal, and what waited for it', 'the start of the new period'],
        ['Pause', 'the provider’s time of the pause where it tells one'],
        ['Cancellation, expiry', 'the provider’s end (`endedAt`)'],
        ['Payment succeeded, failed, retries exhausted, resume, upgrade', 'when it was seen'],
      ],
    ),
    'No time lies after the look that brought it. Entitlement snapshots: what takes away or only goes on counts from `effectiveAt`; what gives counts from the moment it was validated, never earlier; and no snapshot counts from before the one that it follows.',
    '## Reminders',
    '`subscription.trial_ending` is given once per trial end, `policies.reminders.trialEndingDays` (3) days before; `subscription.renewal_upcoming` once per period, `policies.reminders.renewalDays` (year: 7) days before. Neither for a subscription that is going to end. The schedule gives them every few minutes; the provider’s own notice of a trial’s end leads to the same reminder, once.',
    '',
  ].join('\n\n')

const meanings: Record<(typeof subscriptionStatuses)[number], string> = {
  incomplete: 'waits for its first payment, 23 hours at most',
  incomplete_expired: 'the first payment never came; final',
  trialing: 'a free trial runs',
  active: 'paid, or free of charge by agreement',
  past_due: 'a payment failed; the provider tries again',
  unpaid: 'the provider has given up trying; invoices wait',
  paused: 'no service and no invoices until it is resumed',
  canceled: 'has ended; final',
}

const cell = (decision: ReturnType<typeof transitionOf>): string => {
  switch (decision.kind) {
    case 'same':
      return '='
    case 'stale':
      return 'stale'
    case 'begin':
      return decision.trigger
    case 'move':
      return decision.via.length > 0 ? `${decision.trigger} *(via ${decision.via.join(', ')})*` : decision.trigger
    case 'unexpected':
      return `**!** → ${decision.after}`
  }
}

const commandCell = (decision: ReturnType<typeof commandAllowed>): string => {
  if (decision.kind === 'refuse') return decision.reason === 'no_subscription' ? '–' : decision.reason
  if (decision.kind === 'same') return decision.effective === 'now' ? 'yes' : `yes, at ${decision.effective}`
  return `→ ${decision.after}`
}

const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
