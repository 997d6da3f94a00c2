import { importMistakesMax, type NewUsageImport, rowsOf, type UsageImport } from '@turnpike/contract'
import { canonicalJson, sha256 } from '../core/canonical.ts'
import { Failure, fail } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import {
  findSameImport,
  type ImportRecord,
  insertImport,
  lockImport,
  type ReadRow,
  readRows,
  saveProgress,
} from '../modules/imports/index.ts'
import {
  archivedUntil,
  type CounterRow,
  isProblem,
  lockCounters,
  meterRules,
  prepareRecord,
} from '../modules/usage/index.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import { isUniqueViolation, type Tx, transact } from '../platform/db.ts'
import { type CheckDeps, liveCustomer } from './check-entitlements.ts'
import { countUsage } from './steps/count-usage.ts'
import { layOut, type UsageWork } from './steps/lay-out-usage.ts'
import { outcomeOf, type UsageResult } from './steps/usage-outcome.ts'

const rowsMax = 5_000
const lateDaysDefault = 400

/** Begins an import, or answers the one of this file (USE-2): it is the file that names it, so no key is needed. */
export const createUsageImport = (
  deps: CheckDeps,
  actor: Actor,
  tenantId: string | null,
  wanted: NewUsageImport,
): Promise<ImportRecord> => {
  const reading = {
    columns: wanted.columns ?? {},
    meter: wanted.meter ?? null,
    delimiter: wanted.delimiter ?? ',',
  }
  const at = deps.clock.now()
  const made: ImportRecord = {
    importId: newId('import'),
    tenantId,
    name: wanted.name,
    format: wanted.format,
    size: wanted.size,
    sha256: wanted.sha256,
    reading,
    readingSum: sha256(canonicalJson({ format: wanted.format, size: wanted.size, reading })).toString('hex'),
    heading: null,
    state: 'receiving',
    place: 0,
    lastPlace: null,
    lastSum: null,
    lines: 0,
    accepted: 0,
    duplicates: 0,
    invalid: 0,
    mistakes: [],
    createdBy: actor.id,
    createdAt: at,
    updatedAt: at,
    finishedAt: null,
  }
  return transact(deps.db, async (tx) => {
    const known = await findSameImport(tx, made)
    if (known) return known
    // Somebody else has begun it between the two looks.
    if (!(await insertImport(tx, made))) return (await findSameImport(tx, made))!
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: 'usage_import.created',
      object: made.importId,
      after: { name: made.name, format: made.format, size: made.size, sha256: made.sha256, ...reading },
    })
    return made
  })
}

/**
 * Takes in the next piece of a file (USE-1, OPS-3): its records, what they raise and the progress in one transaction, so that
 * a process may die anywhere and the sender goes on from the place that it is told. `mistakeOf` judges the shape of a record.
 */
export const takeImportChunk = async (
  deps: CheckDeps,
  actor: Actor,
  before: ImportRecord,
  chunk: { offset: number; text: string },
  mistakeOf: (record: unknown) => string | null,
): Promise<ImportRecord> => {
  const sum = sha256(chunk.text).toString('hex')
  const refusal = placeProblem(before, chunk.offset, sum)
  if (refusal === 'repeat') return before
  if (refusal) throw refusal
  const piece = readPiece(before, chunk)
  const judged = await judge(deps, actor, before.tenantId, piece.read, mistakeOf)
  for (let attempt = 1; ; attempt++)
    try {
      return await keepPiece(deps, actor, before, { ...piece, ...judged, sum })
    } catch (error) {
      // One key for two counters at the same moment: no counter's lock keeps them apart, but the constraint does.
      if (!isUniqueViolation(error) || attempt === 3) throw error
    }
}

const placeProblem = (record: ImportRecord, offset: number, sum: string): Failure | 'repeat' | null => {
  if (offset === record.place && record.state === 'receiving') return null
  if (offset === record.lastPlace && sum === record.lastSum) return 'repeat'
  return fail('import_offset_wrong', { extra: { expectedOffset: record.place, state: record.state } })
}

type Piece = { read: ReadRow[]; heading: string[] | null; lines: number; place: number }

/** The rows of a piece; it must end where a row ends, or where the file does. */
const readPiece = (before: ImportRecord, { offset, text }: { offset: number; text: string }): Piece => {
  const wrong = (message: string) => fail('invalid_request', { errors: [{ field: 'text', message }] })
  const place = offset + Buffer.byteLength(text)
  if (place > before.size) throw wrong(`must end at byte ${before.size}, where the file ends`)
  const isLast = place === before.size
  const whole = isLast && !text.endsWith('\n') ? `${text}\n` : text
  const split = rowsOf(whole, before.format, { delimiter: before.reading.delimiter, isLast, most: rowsMax + 1 })
  if (split.rows.length > rowsMax) throw wrong(`must have at most ${rowsMax} rows`)
  if (split.end < whole.length) throw wrong('must end where a row ends')
  const rows = split.rows.map((row) => ({ line: before.lines + row.line + 1, text: row.text }))
  const read = readRows(rows, before.format, before.reading, before.heading, `import:${before.sha256.slice(0, 32)}`)
  if ('unreadable' in read) throw wrong(read.unreadable)
  if ('missing' in read)
    throw fail('invalid_request', {
      errors: read.missing.map((field) => ({ field, message: 'names no column of the heading' })),
    })
  return { ...read, lines: split.lines, place }
}

type Mistake = UsageImport['mistakes'][number]
type Judged = { works: (UsageWork & { lines: number[] })[]; mistakes: Mistake[] }

/** Puts the records of a piece in order, by customer; what does not fit is a mistake of its line. */
const judge = async (
  deps: CheckDeps,
  actor: Actor,
  importTenant: string | null,
  read: readonly ReadRow[],
  mistakeOf: (record: unknown) => string | null,
): Promise<Judged> => {
  const nowMs = deps.clock.nowMs()
  const { meters, policies } = deps.catalog().file
  const rules = meterRules(meters)
  const policy = {
    ...policies.usage,
    // What was archived is closed: nobody could tell any more whether a record of that time is a repeat.
    acceptLateDays: Math.min(
      policies.usage.importLateDays ?? lateDaysDefault,
      policies.usage.keepDays ?? Number.POSITIVE_INFINITY,
    ),
  }
  const mistakes: Mistake[] = []
  const works = new Map<string, Judged['works'][number] | null>()
  const archived = await archivedUntil(deps.db, tenantsOf(read, importTenant))
  for (const row of read) {
    const { line } = row
    const mistake = (code: string, detail: string) => void mistakes.push({ line, code, detail: detail.slice(0, 300) })
    if ('mistake' in row) {
      mistake('unreadable', row.mistake)
      continue
    }
    const shape = mistakeOf(row.record)
    if (shape !== null) {
      mistake('invalid_record', shape)
      continue
    }
    const record = row.record as Parameters<typeof prepareRecord>[0]
    const tenantId = record.tenantId ?? importTenant
    if (tenantId === null || tenantId === undefined) {
      mistake('tenant_required', 'The row names no tenant.')
      continue
    }
    if (importTenant !== null && tenantId !== importTenant) {
      mistake('customer_unknown', 'The import is for another tenant.')
      continue
    }
    let work = works.get(tenantId)
    if (work === undefined) {
      const live = await liveCustomer(deps, tenantId, nowMs).catch(nullIfNotFound)
      const base = {
        tenantId,
        records: [],
        lines: [],
        atomic: false,
        fact: true as const,
        correlationId: actor.requestId,
      }
      work = live && { ...base, live, customerId: live.customerId }
      works.set(tenantId, work)
    }
    if (work === null) {
      mistake('customer_unknown', 'Nothing is known of this tenant.')
      continue
    }
    const prepared = prepareRecord(record, rules.get(record.meter), policy, nowMs)
    if (isProblem(prepared)) {
      mistake(prepared.code, prepared.detail)
      continue
    }
    if (prepared.at <= (archived.get(tenantId) ?? Number.NEGATIVE_INFINITY)) {
      mistake('time_too_old', 'The records of this time are archived.')
      continue
    }
    work.records.push(prepared)
    work.lines.push(line)
  }
  return { works: [...works.values()].filter((work) => work !== null), mistakes }
}

const tenantsOf = (read: readonly ReadRow[], importTenant: string | null): string[] =>
  importTenant === null
    ? [
        ...new Set(
          read.flatMap((row) =>
            'record' in row && typeof row.record.tenantId === 'string' ? row.record.tenantId : [],
          ),
        ),
      ]
    : [importTenant]

const nullIfNotFound = (error: unknown): null => {
  if (error instanceof Failure && error.code === 'not_found') return null
  throw error
}

const keepPiece = async (
  deps: CheckDeps,
  actor: Actor,
  before: ImportRecord,
  piece: Piece & Judged & { sum: string },
): Promise<ImportRecord> => {
  const { record, moved } = await transact(deps.db, async (tx) => {
    // Locked before any counter: whoever else sends this piece waits here, and then sees that it was taken in.
    const current = await lockImport(tx, before.importId)
    const refusal = placeProblem(current, before.place, piece.sum)
    if (refusal === 'repeat') return { record: current, moved: null }
    if (refusal) throw refusal
    const counted = await countFacts(tx, deps, piece.works)
    const mistakes = [...piece.mistakes]
    let [accepted, duplicates] = [0, 0]
    for (const [index, work] of piece.works.entries())
      for (const [place, result] of counted.results[index]!.entries()) {
        const outcome = outcomeOf(0, work.records[place]!.idempotencyKey, result)
        if (outcome.status === 'accepted') accepted++
        else if (outcome.status === 'duplicate') duplicates++
        else
          mistakes.push({
            line: work.lines[place]!,
            code: outcome.code ?? outcome.status,
            detail: outcome.detail ?? '',
          })
      }
    const at = deps.clock.now()
    const isDone = piece.place === current.size
    const after: ImportRecord = {
      ...current,
      heading: piece.heading,
      state: isDone ? 'done' : 'receiving',
      place: piece.place,
      lastPlace: current.place,
      lastSum: piece.sum,
      lines: current.lines + piece.lines,
      accepted: current.accepted + accepted,
      duplicates: current.duplicates + duplicates,
      invalid: current.invalid + mistakes.length,
      mistakes: [...current.mistakes, ...mistakes.sort((a, b) => a.line - b.line)].slice(0, importMistakesMax),
      updatedAt: at,
      finishedAt: isDone ? at : null,
    }
    await saveProgress(tx, after)
    if (isDone)
      await appendAudit(tx, deps.clock, {
        tenantId: after.tenantId,
        actor,
        action: 'usage_import.finished',
        object: after.importId,
        after: {
          lines: after.lines,
          accepted: after.accepted,
          duplicates: after.duplicates,
          invalid: after.invalid,
        },
      })
    return { record: after, moved: counted.moved }
  })
  for (const { tenantId, meter, windowStart, span, used, reserved, version } of moved ?? [])
    deps.live.counterMoved(tenantId, meter, windowStart, span, { used, reserved, version })
  return record
}

/** Counts as every record is counted, with one look for repeats first: whoever goes on sends some rows again. */
const countFacts = async (
  tx: Tx,
  deps: CheckDeps,
  works: readonly UsageWork[],
): Promise<{ results: UsageResult[][]; moved: CounterRow[] }> => {
  if (works.length === 0) return { results: [], moved: [] }
  const laidOut = layOut(works)
  const counters = await lockCounters(tx, laidOut.refs)
  const { decisions, moved } = await countUsage(tx, deps, works, laidOut, counters, true)
  const results = laidOut.groups.map(({ from, to }) =>
    decisions.slice(from, to).map((decision) => ({ decision, limit: null })),
  )
  return { results, moved }
}
