import { createHash, randomUUID } from 'node:crypto'
import { basename } from 'node:path'
import { type ImportFormat, importFormats, type NewUsageImport, type UsageImport } from '@turnpike/contract'
import { type Command, Option } from 'commander'
import { clean, facts, table } from '../print.ts'
import { describeFile, sendFile } from '../send-file.ts'
import type { Session } from '../session.ts'
import { UsageError } from '../usage-error.ts'

type ImportOptions = {
  tenant?: string
  tenantColumn?: string
  format?: ImportFormat
  name?: string
  meter?: string
  delimiter?: string
  column: string[]
  property: string[]
}

/** Usage as data: files of the past, corrections, records, history. Added to `turnpike usage`. */
export const addUsageDataCommands = (usage: Command, session: Session): void => {
  usage
    .command('import <file>')
    .description('Bring in past usage from a CSV or NDJSON file; said again, it goes on where it was')
    .option('--tenant <tenant>', 'all rows are the usage of this tenant')
    .option('--tenant-column <column>', 'the column that names the tenant (tenantId)')
    .addOption(new Option('--format <format>', 'by the ending of the file name').choices(importFormats))
    .option('--name <name>', 'of the import (the file name)')
    .option('--meter <meter>', 'of rows that name none')
    .option('--delimiter <character>', 'between columns: , ; | or tab')
    .option('--column <field=column>', 'where a field stands, such as at=timestamp; may be repeated', collect, [])
    .option('--property <name=column>', 'a property and its column; may be repeated', collect, [])
    .action(async (file: string, options: ImportOptions) => {
      const path = session.pathOf(file)
      const { size, sha256 } = await describeFile(path)
      if (size === 0) throw new UsageError(`${file} is empty.`)
      const client = session.client()
      const format = options.format ?? formatOf(file)
      const { data: begun } = await client.createUsageImport({
        body: { name: options.name ?? basename(file), format, size, sha256, ...readingOf(options) },
      })
      if (begun.offset > 0 && begun.state === 'receiving' && !session.json())
        session.line(begun, `Going on at byte ${begun.offset} of ${size}.`)
      await sendFile(
        path,
        format,
        readingOf(options).delimiter ?? ',',
        begun,
        size,
        async (piece) => (await client.sendUsageImport({ params: { importId: begun.id }, body: piece })).data,
        (progress) => {
          if (!session.json()) session.line(progress, progressLine(progress))
          return !session.signal.aborted
        },
      )
      const { data: after } = await client.getUsageImport({ params: { importId: begun.id } })
      session.show(after, importText(after))
      if (after.invalid > 0 || after.state !== 'done') session.no()
    })

  usage
    .command('imports')
    .description('List imports, newest first')
    .option('--tenant <tenant>')
    .action(async (options: { tenant?: string }) => {
      const { data } = await session
        .client()
        .listUsageImports({ query: { limit: 200, ...(options.tenant ? { tenantId: options.tenant } : {}) } })
      session.show(
        data,
        table(
          ['import', 'name', 'tenant', 'state', 'bytes', 'accepted', 'duplicates', 'invalid', 'created'],
          data.map((each) => [
            each.id,
            each.name,
            each.tenantId ?? 'by row',
            each.state,
            `${each.offset}/${each.size}`,
            each.accepted,
            each.duplicates,
            each.invalid,
            each.createdAt,
          ]),
          'No imports.',
        ),
      )
    })

  usage
    .command('records')
    .description('Records as they were kept, by the time of use, with their corrections')
    .requiredOption('--tenant <tenant>')
    .option('--meter <meter>', 'records of this meter')
    .option('--key <key>', 'one record with its corrections')
    .option('--from <instant>')
    .option('--to <instant>', 'exclusive')
    .option('--limit <n>', 'how many', (text) => Number(text), 50)
    .action(async (options: RecordOptions) => {
      if (options.meter === undefined && options.key === undefined)
        throw new UsageError('Either --meter for its records, or --key for one of them.')
      const { data } = await session.client().listUsageRecords({
        query: {
          tenantId: options.tenant,
          limit: options.limit,
          ...(options.meter === undefined ? {} : { meter: options.meter }),
          ...(options.key === undefined ? {} : { key: options.key }),
          ...(options.from === undefined ? {} : { from: options.from }),
          ...(options.to === undefined ? {} : { to: options.to }),
        },
      })
      session.show(
        data,
        table(
          ['at', 'key', 'meter', 'quantity', 'effective', 'correction'],
          data.map((each) => [
            each.at,
            each.idempotencyKey,
            each.meter,
            each.quantity,
            each.effectiveQuantity,
            each.correction === null ? null : `${each.correction} ${each.corrects}`,
          ]),
          'No records.',
        ),
      )
    })

  usage
    .command('correct <key>')
    .description('Take a record back (--void), or set its quantity (--quantity)')
    .requiredOption('--tenant <tenant>')
    .requiredOption('--reason <sentence>', 'kept with the correction')
    .option('--void', 'take it back')
    .option('--quantity <n>', 'what it counts from now on', (text) => Number(text))
    .option('--correction-key <key>', 'the key of the correction, so that a repeat makes it once')
    .action(async (key: string, options: CorrectOptions) => {
      if ((options.void === true) === (options.quantity !== undefined))
        throw new UsageError('Either --void or --quantity.')
      const { data } = await session.client().correctUsage({
        body: {
          tenantId: options.tenant,
          corrects: key,
          reason: options.reason,
          idempotencyKey: options.correctionKey ?? `correction-${randomUUID()}`,
          ...(options.quantity === undefined
            ? { action: 'void' as const }
            : { action: 'amend' as const, quantity: options.quantity }),
        },
      })
      session.show(data, [
        `${data.corrects} counts ${data.after} instead of ${data.before} for ${data.meter} at ${data.at}.`,
      ])
    })

  const archive = usage.command('archive').description('Raw records of long ago, which were packed')

  archive
    .command('list <tenant>')
    .description('List archives, by meter and window')
    .action(async (tenantId: string) => {
      const { data } = await session.client().listUsageArchives({ query: { tenantId, limit: 200 } })
      session.show(
        data,
        table(
          ['meter', 'window', 'part', 'records', 'quantity', 'archived', 'sha256'],
          data.map((each) => [
            each.meter,
            each.windowStart,
            each.part,
            each.records,
            each.quantity,
            each.archivedAt,
            each.sha256,
          ]),
          'Nothing is archived.',
        ),
      )
    })

  archive
    .command('read <tenant> <meter> <window>')
    .description('Print the records of an archive as NDJSON, after checking their hash')
    .option('--part <n>', '1 unless told', (text) => Number(text), 1)
    .action(async (tenantId: string, meter: string, windowStart: string, { part }: { part: number }) => {
      const { data } = await session.client().getUsageArchive({ query: { tenantId, meter, windowStart, part } })
      if (createHash('sha256').update(data.content).digest('hex') !== data.sha256)
        throw new UsageError('The archive is not what was written: its hash differs.')
      for (const record of JSON.parse(data.content) as unknown[]) session.line(record, JSON.stringify(record))
    })

  usage
    .command('history <tenant> <meter>')
    .description('What a meter counted by day, or by hour')
    .option('--hours', 'by hour')
    .option('--from <instant>')
    .option('--to <instant>')
    .action(async (tenantId: string, meter: string, options: { hours?: true; from?: string; to?: string }) => {
      const { data } = await session.client().getUsageHistory({
        query: {
          tenantId,
          meter,
          step: options.hours ? 'hour' : 'day',
          ...(options.from === undefined ? {} : { from: options.from }),
          ...(options.to === undefined ? {} : { to: options.to }),
        },
      })
      session.show(data, [
        ...table(
          [data.step, data.meter],
          data.points.map(({ start, used }) => [start, used]),
          'Nothing.',
        ),
        ...data.anomalies.map(
          ({ span, kind, value, expected }) =>
            `unusually ${kind} in the last ${span}: ${value}, expected about ${expected}`,
        ),
      ])
    })
}

type RecordOptions = { tenant: string; meter?: string; key?: string; from?: string; to?: string; limit: number }
type CorrectOptions = { tenant: string; reason: string; void?: true; quantity?: number; correctionKey?: string }

const collect = (value: string, before: string[]): string[] => [...before, value]

const formatOf = (file: string): ImportFormat => {
  if (/\.(ndjson|jsonl)$/i.test(file)) return 'ndjson'
  if (/\.(csv|tsv)$/i.test(file)) return 'csv'
  throw new UsageError(`The name of ${file} does not say what it is: write --format csv or --format ndjson.`)
}

const readingOf = (options: ImportOptions): Partial<NewUsageImport> => {
  if (options.tenant !== undefined && options.tenantColumn !== undefined)
    throw new UsageError('Either --tenant for all rows, or --tenant-column.')
  const delimiter = options.delimiter === 'tab' ? '\t' : options.delimiter
  const columns = {
    ...pairs(options.column, '--column'),
    ...(options.tenantColumn === undefined ? {} : { tenantId: options.tenantColumn }),
    ...(options.property.length > 0 ? { properties: pairs(options.property, '--property') } : {}),
  }
  return {
    ...(options.tenant === undefined ? {} : { tenantId: options.tenant }),
    ...(options.meter === undefined ? {} : { meter: options.meter }),
    ...(delimiter === undefined ? {} : { delimiter: delimiter as NewUsageImport['delimiter'] & string }),
    ...(Object.keys(columns).length > 0 ? { columns } : {}),
  }
}

const pairs = (values: readonly string[], option: string): Record<string, string> =>
  Object.fromEntries(
    values.map((value) => {
      const at = value.indexOf('=')
      if (at < 1) throw new UsageError(`${option} takes name=column, not "${value}".`)
      return [value.slice(0, at), value.slice(at + 1)]
    }),
  )

const progressLine = (progress: UsageImport): string =>
  `${((progress.offset * 100) / progress.size).toFixed(1)}%  ${progress.accepted} accepted, ${progress.duplicates} duplicates, ${progress.invalid} invalid`

const importText = (after: UsageImport): (string | string[])[] => [
  ...facts([
    ['import', after.id],
    ['state', after.state],
    ['lines', after.lines],
    ['accepted', after.accepted],
    ['duplicates', after.duplicates],
    ['invalid', after.invalid],
  ]),
  ...after.mistakes.map(({ line, code, detail }) => clean(`line ${line}: ${code}: ${detail}`)),
  after.invalid > after.mistakes.length ? `and ${after.invalid - after.mistakes.length} more` : [],
]
