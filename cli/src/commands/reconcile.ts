import { type Finding, findingKindNames, findingStates, type ReconciliationRun } from '@turnpike/contract'
import { type Command, Option } from 'commander'
import { facts, table } from '../print.ts'
import type { Session } from '../session.ts'

const lookAgainMs = 500

/** Comparing with the payment provider, and what to do about the differences. Open findings make the exit code 1. */
export const addReconcileCommands = (program: Command, session: Session): void => {
  program
    .command('reconcile')
    .description('Compare with the payment provider: one customer, or everybody')
    .option('--tenant <tenant>', 'one customer only')
    .option('--light', 'only what is new and what waits; no counters')
    .option('--watch', 'show the progress until it is done')
    .action(async (options: { tenant?: string; light?: boolean; watch?: boolean }) => {
      const client = session.client()
      const { data: begun } = await client.startReconciliation({
        body: {
          ...(options.tenant ? { tenantId: options.tenant } : {}),
          ...(options.light ? { scope: 'light' as const } : {}),
        },
      })
      let run = begun
      let shown = ''
      while (run.state === 'running' && !session.signal.aborted) {
        const line = progressLine(run)
        if (options.watch && line !== shown && !session.json()) session.line(run, line)
        shown = line
        await new Promise((resolve) => setTimeout(resolve, lookAgainMs))
        run = (await client.getReconciliation({ params: { runId: run.id } })).data
      }
      const { data: open } = await client.listFindings({
        query: { state: 'open', limit: 200, ...(options.tenant ? { tenantId: options.tenant } : {}) },
      })
      session.show({ run, findings: open }, [
        `Run ${run.id}: ${run.state}.`,
        ...facts([
          ['found', run.found],
          ['repaired', run.repaired],
          ['failure', run.failure],
        ]),
        ...findingTable(open, 'No open findings.'),
      ])
      if (open.length > 0 || run.state !== 'done') session.no()
    })

  const findings = program.command('findings').description('Differences from the payment provider')

  findings
    .command('list')
    .description('List findings, newest first; the open ones unless told otherwise')
    .addOption(new Option('--state <state>').choices([...findingStates, 'any']).default('open'))
    .addOption(new Option('--kind <kind>').choices(findingKindNames))
    .option('--tenant <tenant>')
    .action(async (options: { state: Finding['state'] | 'any'; kind?: Finding['kind']; tenant?: string }) => {
      const { data } = await session.client().listFindings({
        query: {
          limit: 200,
          ...(options.state === 'any' ? {} : { state: options.state }),
          ...(options.kind ? { kind: options.kind } : {}),
          ...(options.tenant ? { tenantId: options.tenant } : {}),
        },
      })
      session.show(data, findingTable(data, 'No findings.'))
      if (data.some((finding) => finding.state === 'open')) session.no()
    })

  findings
    .command('show <id>')
    .description('Show one finding with both sides')
    .action(async (findingId: string) => {
      const { data } = await session.client().getFinding({ params: { findingId } })
      session.show(data, shown(data))
      if (data.state === 'open') session.no()
    })

  const decisions = [
    ['repair', 'Do the proposed repair and look again', 'repairFinding'],
    ['accept', 'Accept the difference as meant', 'acceptFinding'],
    ['dismiss', 'Close it; it is found again when it is seen again', 'dismissFinding'],
  ] as const
  for (const [name, description, route] of decisions)
    findings
      .command(`${name} <id>`)
      .description(description)
      .requiredOption('--reason <text>', 'why, for the audit')
      .action(async (findingId: string, { reason }: { reason: string }) => {
        const { data } = await session.client()[route]({ params: { findingId }, body: { reason } })
        session.show(data, shown(data))
      })
}

const progressLine = (run: ReconciliationRun): string => {
  const current = run.progress.find(({ phase }) => phase === run.phase)
  const of = current?.total === null || current === undefined ? '' : ` of ${current.total}`
  const waits = run.waitsFor === null ? '' : `, waits for the ${run.waitsFor}`
  return `${run.phase ?? run.state}: ${current?.looked ?? 0}${of} looked at, ${run.found} found, ${run.repaired} repaired${waits}`
}

const findingTable = (rows: readonly Finding[], otherwise: string): string[] =>
  table(
    ['id', 'severity', 'kind', 'tenant', 'object', 'state', 'first seen', 'repair'],
    rows.map((row) => [
      row.id,
      row.severity,
      row.kind,
      row.tenantId,
      row.object,
      row.state,
      row.firstSeenAt,
      row.repair,
    ]),
    otherwise,
  )

const shown = (finding: Finding): string[] => [
  `${finding.kind} (${finding.state}): ${finding.meaning}.`,
  ...facts([
    ['id', finding.id],
    ['severity', finding.severity],
    ['tenant', finding.tenantId],
    ['object', finding.object],
    ['here', finding.here && JSON.stringify(finding.here)],
    ['there', finding.there && JSON.stringify(finding.there)],
    ['repair', finding.repairMeaning],
    ['first seen', finding.firstSeenAt],
    ['last seen', finding.lastSeenAt],
    ['closed', finding.closedAt],
    ['by', finding.closedBy],
    ['reason', finding.reason],
  ]),
]
