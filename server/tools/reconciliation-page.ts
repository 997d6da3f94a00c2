import { type FindingKind, findingKindNames, findingKinds, type Repair, repairs } from '@turnpike/contract'

/** `docs/policies/reconciliation.md`, from the table of kinds (REC-1 to REC-4). */
export const reconciliationPage = (): string =>
  [
    '<!-- Generated from contract/src/schemas/reconciliation.ts by `npm run generate`. Do not edit. -->',
    '# Reconciliation',
    'Webhooks say where to look, and some are lost. Reconciliation looks everywhere, in both directions, and names what differs. It alone recovers everything after a day without webhooks.',
    '## When',
    table(
      ['Run', 'When', 'What'],
      [
        [
          '`all`',
          'daily, and on demand',
          'Every subscription, customer, price and snapshot, every counter, the invoices of the last `invoiceDays`',
        ],
        [
          '`light`',
          'hourly, and on demand',
          'What was made in the last two days, and whatever waits: open checkouts older than five minutes, commands without an answer, dead webhooks',
        ],
        ['one customer', 'on demand, by support too', 'Everything about this customer'],
      ],
    ),
    'Light runs leave counters out, as comparing them reads all usage records. Beside the full run, which compares every counter, a sample of each day compares all counters of a thirtieth of the customers (`counter_differs`, USE-4); a run for one customer compares theirs at any time.',
    'A run goes through bounded pages and keeps its place after each, so that another process goes on when one dies. It makes at most `TURNPIKE_RECONCILE_PER_SECOND` requests a second to the provider (10 unless set), waits while the provider does not answer, and shows its progress all the while.',
    '## From a difference to a finding',
    [
      '1. The lists of both sides are compared, page by page. Who looks wrong is a suspect, nothing more.',
      '2. Each suspect is looked at again, alone, under the lease under which webhooks are applied too. What is gone by then was on its way.',
      '3. While a webhook, a returned checkout or a command of the customer waits for less than `policies.reconciliation.patienceMinutes`, nothing is said about the provider’s side.',
      '4. What is still there is a finding: open once per customer, kind and object, with both sides, its age, and a proposed repair.',
    ].join('\n'),
    '**Nothing is taken away because a provider is silent.** An outage, an unreadable object or an incomplete list makes no difference. Only a clear "there is no such object" does, and what follows from it waits for a person.',
    '## Kinds',
    'Safe kinds are repaired without asking, unless `policies.reconciliation.automatic` names fewer. All others wait for an operator.',
    table(
      ['Kind', 'Meaning', 'Severity', 'Proposed repair', 'Without asking'],
      findingKindNames.map((name) => [
        `\`${name}\``,
        findingKinds[name].meaning,
        findingKinds[name].severity,
        `\`${findingKinds[name].repair}\``,
        findingKinds[name].safe ? 'yes' : 'no',
      ]),
    ),
    '## Repairs',
    table(
      ['Repair', 'What it does', 'Of'],
      (Object.keys(repairs) as Repair[]).map((repair) => [`\`${repair}\``, repairs[repair], kindsWith(repair)]),
    ),
    'A repair is done once, audited with its reason, and followed by another look: the finding is closed only when the difference is gone. When the rules of the status table refuse what the provider says, the repair by a person takes it over nevertheless. A customer of the provider that names a tenant which it cannot belong to, and a price that differs, are `by_hand` whatever the table proposes.',
    '## Procedure for a mismatch',
    [
      '1. `turnpike findings list`, or the console: critical ones first, then the oldest. `turnpike findings show <id>` has both sides.',
      '2. Find the cause in the customer’s timeline and in the webhook inbox before you change anything: one cause often has many findings.',
      '3. `turnpike findings repair <id> --reason "…"` when the proposal is right. `end_here` and `unlink_customer`: look at the provider’s dashboard first; a wrong account or key looks like everything missing.',
      '4. `by_hand`: put it right where it is wrong. `two_subscriptions`: cancel the one that was not meant, refund it if it was paid. `subscription_unmapped`: move it to a price of the catalog. `provider_customer_unlinked`: find out whose it is.',
      '5. `turnpike reconcile --tenant <tenant>`: the finding is gone, or accept it with a reason. Accepted ones stay closed while they look the same; dismissed ones are found again.',
      '6. More than a handful of one kind at once is an incident, not a series of mismatches: stop and look at what was deployed or changed.',
    ].join('\n'),
    '## Figures',
    '`GET /api/v1/reconciliation/figures` and the metrics `turnpike_findings_open`, `turnpike_findings_oldest_seconds`, `turnpike_drift_per_thousand_customers`, `turnpike_findings_correction_seconds`. An alert is due when a critical finding is open for an hour, or when the last full run ended more than 26 hours ago.',
    '',
  ].join('\n\n')

const kindsWith = (repair: Repair): string =>
  findingKindNames
    .filter((name: FindingKind) => findingKinds[name].repair === repair)
    .map((name) => `\`${name}\``)
    .join(', ')

const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
