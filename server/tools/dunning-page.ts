import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { CatalogDunning } from '@turnpike/contract'
import { findPlan, nextCatalog, parseCatalog } from '../src/modules/catalog/index.ts'
import { deadlineOf, overLimitPolicy } from '../src/modules/downgrades/index.ts'
import { cancelAt, endsAfter, momentsBetween } from '../src/modules/dunning/index.ts'

const catalogFile = fileURLToPath(new URL('../../catalog/acme.yaml', import.meta.url))
const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
const levels: Record<string, string> = {
  grace: 'everything of the plan, with a warning',
  restricted: 'only what the baseline plan grants; the plan’s grants are withheld',
  read_only: 'looking and taking away, with what the baseline plan grants',
  none: 'nothing of the plan',
}
const day = (at: Temporal.Instant): string => at.toZonedDateTimeISO('UTC').toPlainDate().toString()
const time = (at: Temporal.Instant): string =>
  `${day(at)} ${at.toZonedDateTimeISO('UTC').toPlainTime().toString({ smallestUnit: 'minute' })}`

/** The policy of dunning, with the demonstration catalog worked through on a calendar by the rules of the service (DUN-1). */
export const dunningPage = (): string => {
  const parsed = parseCatalog(readFileSync(catalogFile, 'utf8'))
  if (!parsed.ok) throw new Error('the demonstration catalog has mistakes')
  const catalog = nextCatalog(null, parsed.file)
  const policy = parsed.file.policies.dunning
  const own = Object.entries(parsed.file.plans).flatMap(([key, plan]) =>
    plan.dunning ? [[key, plan.dunning] as const] : [],
  )
  return `${[
    '<!-- Generated from server/src/modules/dunning and catalog/acme.yaml by `npm run generate`. Do not edit. -->',
    '# Dunning: what happens while an invoice stays unpaid',
    'The payment provider collects and tries again by its own plan; Turnpike never triggers a payment. Turnpike decides what the customer may still use, tells them, and ends the subscription when the policy says so.',
    '## When a case begins and ends',
    [
      '- A case begins with a *fetched* invoice that was tried and is not paid (or waits for the customer’s bank), of a subscription that the provider calls `past_due` or `unpaid`. There is one at a time per subscription: for its oldest such invoice since the newest that was paid.',
      '- Days are of 24 hours and count from when the provider **finalized** that invoice. So every date follows from the provider’s facts: not from when a webhook came, nor from whether the service was running.',
      '- It ends `recovered` when the invoice is paid or the provider calls the subscription sound again, `written_off` when the invoice was voided or given up and the subscription goes on, `canceled` when the subscription has ended. Access returns in the transaction that applies the fact.',
      '- When that invoice is settled and a later one is not, the next case begins with the later one’s own date.',
    ].join('\n'),
    '## Stages',
    'A catalog names them in `policies.dunning`; a plan may replace the whole by `dunning` of its own. Stages follow one another, each allows less than the one before, and the end comes after the last.',
    `Acme (demonstration)${own.length > 0 ? '' : ', the same for all its plans'}:`,
    stagesOf(policy),
    ...own.flatMap(([key, each]) => [`Plan \`${key}\`:`, stagesOf(each)]),
    [
      '- Access is the weaker of what the status allows and what the stage allows; overrides still count.',
      '- A stage begins exactly on time: the entitlement snapshot runs out then, and the first check after it answers by the new stage, in memory, without waiting for a job.',
      '- Each stage and each reminder is one event (`dunning.stage_reached`, `dunning.reminded`) and one audit row, with its own time. Somebody who was down over several stages tells each of them once, in order.',
      '- A reminder on the day of a stage is left out: the stage says it.',
    ].join('\n'),
    '## The end',
    [
      '- With `cancelAfterDays` the subscription is canceled at the provider that many days after the start; with `null` the end is left to the provider.',
      '- **The provider’s own attempts come first.** While it plans another attempt for the invoice of the case, the end waits for that attempt and one hour for its result. Attempts for later invoices do not count, or each renewal would put the end off again.',
      '- Before it is asked, the customer is fetched again: who has paid in the meantime keeps the subscription. While the provider does not answer, nothing ends.',
      '- The request carries the id of the case as its key, and is repeated each minute until the provider confirms the end by a fact; only then has it ended here.',
      '- The provider may end it earlier by its own settings. That is followed, after the stages that led to it.',
    ].join('\n'),
    '## Worked through',
    worked(policy),
    '## Changes to a smaller plan than what is in use',
    downgrades(catalog),
  ].join('\n\n')}\n`
}

const stagesOf = (policy: CatalogDunning): string =>
  `${table(
    ['After', 'Access', 'What it allows'],
    [
      ...policy.stages.map(({ afterDays, access }) => [`${afterDays} days`, `\`${access}\``, levels[access] ?? '']),
      ...(policy.cancelAfterDays === null
        ? []
        : [
            [
              `${policy.cancelAfterDays} days`,
              'canceled',
              'the subscription ends; what comes then is the policy of cancellation',
            ],
          ]),
    ],
  )}\n\nReminders: ${(policy.reminders ?? []).map((each) => `day ${each}`).join(', ') || 'none'}.`

const worked = (policy: CatalogDunning): string => {
  const finalized = Temporal.Instant.from('2026-03-15T10:04:00Z')
  const end = endsAfter(policy, finalized)
  const far = finalized.add({ hours: 24 * 1_000 })
  const rows = momentsBetween(policy, finalized, null, far)
    .filter(({ at }) => !end || Temporal.Instant.compare(at, end) < 0)
    .map(({ kind, stage, at }) => [
      time(at),
      kind === 'stage' ? `stage \`${stage}\` begins` : `reminder, in stage \`${stage}\``,
    ])
  const retry = end?.add({ hours: 48 })
  const lines = [
    `An invoice is finalized on ${time(finalized)} (UTC) and its payment fails. All times are UTC; that clocks change on 29 March moves nothing.`,
    table(
      ['Time', 'What happens, unless it is paid before'],
      [...rows, ...(end ? [[time(end), 'the subscription is canceled, if the provider plans no attempt']] : [])],
    ),
  ]
  if (end && retry)
    lines.push(
      `If the provider plans an attempt for ${time(retry)}, the end waits until ${time(cancelAt(end, retry))}. Paid on ${day(finalized.add({ hours: 24 * 20 }))}, everything of the plan is back at once. If the first webhook came only on ${day(finalized.add({ hours: 24 * 10 }))}, the dates would be the same, and the stages passed by then would be told at once, in order.`,
    )
  return lines.join('\n\n')
}

const downgrades = (catalog: ReturnType<typeof nextCatalog>): string => {
  const rule = overLimitPolicy(catalog, findPlan(catalog, catalog.file.baseline)!)
  const effective = Temporal.Instant.from('2026-04-15T10:04:00Z')
  return [
    '`policies.changes.overLimit`, or the plan’s own `changes`, decides what a change to less does when more is in use than it allows:',
    [
      '- `block`: the change is refused with the list of what to reduce, by how much.',
      `- \`cleanup_window\`: the change happens; the old limits of what is listed stay for \`cleanupDays\` (${rule.cleanupDays} days for Acme: from ${time(effective)} to ${time(deadlineOf(effective, rule))}), with reminders ${rule.reminderDays.join(' and ')} days before. Then the new limits hold, exactly on time.`,
      '- `soft_lock`: the new limits hold at once.',
    ].join('\n'),
    'Under the new limits nothing new is let in (`over_limit_after_downgrade`), and nothing is ever destroyed. A change made in the provider’s own pages, or whose time has come after more came into use, cannot be blocked any more: `block` then gives a cleanup window.',
    `Acme: \`${rule.overLimit}\`.`,
  ].join('\n\n')
}
