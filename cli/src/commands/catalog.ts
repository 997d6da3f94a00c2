import { writeFileSync } from 'node:fs'
import { TurnpikeError } from '@turnpike/client'
import type { CatalogPlanArtifact, CatalogVersion } from '@turnpike/contract'
import type { Command } from 'commander'
import { clean, facts, moneyText, table } from '../print.ts'
import type { Session } from '../session.ts'
import { UsageError } from '../usage-error.ts'

export const addCatalogCommands = (program: Command, session: Session): void => {
  const catalog = program.command('catalog').description('Plans, prices, features and policies in one reviewed file')

  catalog
    .command('validate <file>')
    .description('Name every mistake of a catalog file with its line')
    .action(async (file: string) => {
      const { data } = await session.client().validateCatalog({ body: { source: session.readText(file) } })
      if (!data.valid) session.no()
      session.show(
        data,
        data.valid
          ? [`${file} has no mistakes.`]
          : [
              ...data.problems.map(({ line, column, path, message }) =>
                clean(`${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`),
              ),
              `${data.problems.length} ${data.problems.length === 1 ? 'mistake' : 'mistakes'}.`,
            ],
      )
    })

  catalog
    .command('plan <file>')
    .description('Say what applying a catalog file would change, and for whom')
    .option('-o, --output <file>', 'keep the plan for "catalog apply"')
    .action(async (file: string, options: { output?: string }) => {
      const { data } = await withPlaces(
        file,
        session.client().planCatalog({ body: { source: session.readText(file) } }),
      )
      if (data.blocked) session.no()
      if (options.output) keep(session, options.output, data)
      session.show(data, [planText(data), options.output ? [`Kept in ${options.output}.`] : []].flat())
    })

  catalog
    .command('apply <file>')
    .description('Put a planned catalog file in force')
    .requiredOption('--plan <file>', 'the plan that "catalog plan -o" kept')
    .option('--reason <text>', 'why, for the audit trail')
    .action(async (file: string, options: { plan: string; reason?: string }) => {
      const body = {
        source: session.readText(file),
        artifact: artifactOf(session.readText(options.plan), options.plan),
        ...(options.reason ? { reason: options.reason } : {}),
      }
      const { data } = await withPlaces(file, session.client().applyCatalog({ body }))
      session.show(data, [`Catalog ${data.version} is in force: ${data.summary}.`, versionsText(data)])
    })

  catalog
    .command('push')
    .description('Make products and prices at the payment provider')
    .action(async () => {
      const { data } = await session.client().pushCatalog()
      session.show(data, [
        ...data.created.map((key) => `created  ${clean(key)}`),
        ...data.updated.map((key) => `updated  ${clean(key)}`),
        `${data.created.length} created, ${data.updated.length} updated, ${data.unchanged} unchanged.`,
      ])
    })

  catalog
    .command('diff')
    .description('Compare the catalog with the payment provider in both directions')
    .action(async () => {
      const { data } = await session.client().diffCatalog()
      if (!data.inSync) session.no()
      session.show(
        data,
        data.inSync
          ? ['Catalog and provider agree.']
          : table(
              ['difference', 'object', 'key', 'field', 'here', 'there'],
              data.differences.map(({ kind, object, key, field, ours, theirs }) => [
                kind,
                object,
                key,
                field,
                ours,
                theirs,
              ]),
              '',
            ),
      )
    })

  catalog
    .command('history')
    .description('List every catalog that was applied')
    .action(async () => {
      const { data } = await session.client().listCatalogHistory()
      session.show(
        data,
        table(
          ['version', 'applied', 'by', 'summary', 'plans', 'hash'],
          data.map((each) => [
            each.version,
            each.appliedAt,
            each.appliedBy,
            each.summary,
            versionsText(each),
            each.hash.slice(0, 12),
          ]),
          'No catalog was applied yet.',
        ),
      )
    })
}

/** `pro 2, scale 1` */
const versionsText = ({ plans }: CatalogVersion): string =>
  Object.entries(plans)
    .map(([plan, version]) => clean(`${plan} ${version}`))
    .join(', ')

/** The service names places of the file; people need the file's name before them. */
const withPlaces = async <T>(file: string, answer: Promise<T>): Promise<T> => {
  try {
    return await answer
  } catch (error) {
    if (error instanceof TurnpikeError && error.code === 'catalog_invalid')
      error.errors = error.errors.map(({ field, message }) => ({
        field: /^\d+:\d+/.test(field) ? `${file}:${field}` : field,
        message,
      }))
    throw error
  }
}

const signs = { add: '+', update: '~', archive: '-', remove: '-', blocked: '!' } as const

const planText = (plan: CatalogPlanArtifact): string[] => {
  const section = (title: string, lines: string[]) =>
    lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)]
  return [
    ...(plan.changes.length === 0
      ? ['Nothing changes.']
      : plan.changes.map((change) => clean(`${signs[change.kind]} ${change.sentence}`))),
    ...section(
      'Customers of plans that change',
      table(
        ['plan', 'version', 'customers', 'stay on their version'],
        plan.affectedCustomers.map(({ plan: key, version, customers, staysOnVersion }) => [
          key,
          version,
          customers,
          staysOnVersion,
        ]),
        'none',
      ),
    ),
    ...section(
      'Recurring revenue per month, were all of them moved',
      plan.recurringRevenueDelta.map((money) =>
        money.amountMinor.startsWith('-') ? moneyText(money) : `+${moneyText(money)}`,
      ),
    ),
    ...section(
      'Who loses what',
      plan.losses.map(({ customers, plan: key, sentence }) => clean(`${customers} on ${key}: ${sentence}`)),
    ),
    '',
    ...facts([
      ['made from', plan.baseHash.slice(0, 12)],
      ['would become', plan.targetHash.slice(0, 12)],
    ]),
    ...(plan.blocked ? ['Blocked: this file cannot be applied.'] : []),
  ]
}

const keep = (session: Session, file: string, plan: CatalogPlanArtifact): void => {
  try {
    writeFileSync(session.pathOf(file), `${JSON.stringify(plan, null, 2)}\n`)
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}.`)
  }
}

// Only that it is JSON is looked at here: the service checks what it says.
const artifactOf = (text: string, file: string): CatalogPlanArtifact => {
  try {
    return JSON.parse(text) as CatalogPlanArtifact
  } catch {
    throw new UsageError(`${file} is no plan: make one with "turnpike catalog plan <file> -o ${file}".`)
  }
}
