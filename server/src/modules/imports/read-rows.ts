import type { ImportFormat, NewUsageImport } from '@turnpike/contract'
import { parse } from 'csv-parse/sync'
import { own } from '../../core/own.ts'

/** How a file is read; kept with the import, since it is part of what makes it the same. */
export type Reading = {
  columns: NonNullable<NewUsageImport['columns']>
  meter: string | null
  delimiter: string
}

/** A record as its sender would have sent it, still unchecked, or why there is none. `line` is from 1. */
export type ReadRow = { line: number; record: Record<string, unknown> } | { line: number; mistake: string }

const fields = ['tenantId', 'meter', 'quantity', 'at', 'idempotencyKey', 'service', 'correlationId'] as const
const propertyPrefix = 'properties.'
const decimal = /^-?\d+(\.\d+)?$/

/**
 * Makes records of the rows of a file (USE-1). `heading`: the columns of a CSV file, null before its first row, which then
 * is it. `keyPrefix`: of the file, for rows that have no key of their own. Columns that mean nothing here are passed over.
 */
export const readRows = (
  rows: readonly { line: number; text: string }[],
  format: ImportFormat,
  reading: Reading,
  heading: readonly string[] | null,
  keyPrefix: string,
): { heading: string[] | null; read: ReadRow[] } | { missing: string[] } | { unreadable: string } => {
  const filled = rows.filter(({ text }) => text.trim() !== '')
  const finished = (line: number, record: Record<string, unknown>): ReadRow => {
    record.meter ??= reading.meter ?? undefined
    record.idempotencyKey ??= `${keyPrefix}:${line}`
    if (record.at === undefined) return { line, mistake: 'The row has no time.' }
    return isWellFormed(record) ? { line, record } : { line, mistake: 'The row contains half a surrogate pair.' }
  }
  if (format === 'ndjson')
    return {
      heading: null,
      read: filled.map(({ line, text }) => {
        const record = readJson(text, reading.columns)
        return typeof record === 'string' ? { line, mistake: record } : finished(line, record)
      }),
    }
  const cells = readCells(filled, reading.delimiter)
  let columns = heading
  if (columns === null) {
    const first = cells.shift()
    if (first === undefined) return { heading: null, read: [] }
    // Without a heading no row could be read, and a file of which nothing is read must not look like an empty one.
    if (first === null) return { unreadable: whyNoHeading(filled[0]!.text) }
    columns = first.map((name) => name.trim())
    filled.shift()
  }
  const places = placesOf(columns, reading.columns)
  if (Array.isArray(places)) return { missing: places }
  return {
    heading: [...columns],
    read: filled.map(({ line }, index) => {
      const row = cells[index]
      if (!row) return { line, mistake: 'The row is not CSV: a quote is out of place.' }
      if (row.length !== columns.length)
        return { line, mistake: `The row has ${row.length} columns; the heading has ${columns.length}.` }
      const record = recordOf(row, places)
      return typeof record === 'string' ? { line, mistake: record } : finished(line, record)
    }),
  }
}

/** Whether the database can hold its texts. What is nested deeper than properties is no record, and told as that later. */
const isWellFormed = (record: Record<string, unknown>): boolean =>
  [...Object.values(record), ...Object.entries(record.properties ?? {}).flat()].every(
    (value) => typeof value !== 'string' || value.isWellFormed(),
  )

const whyNoHeading = (text: string): string =>
  /\r[^\n]/.test(text)
    ? 'has lines that end with a carriage return alone: each must end with a line feed'
    : 'begins with a heading that is not CSV: a quote is out of place'

/** All rows at once; one by one only where one of them is broken, so that it costs the others nothing. */
const readCells = (rows: readonly { text: string }[], delimiter: string): (string[] | null)[] => {
  const options = { delimiter, relax_column_count: true, bom: true, skip_empty_lines: false }
  const texts = rows.map(({ text }) => text.replace(/\r$/, ''))
  const tryAll = (text: string): string[][] | null => {
    try {
      return parse(text, options)
    } catch {
      return null
    }
  }
  const all = tryAll(texts.join('\n'))
  if (all?.length === texts.length) return all
  return texts.map((text) => {
    const one = tryAll(text)
    return one?.length === 1 ? one[0]! : null
  })
}

const columnOf = (named: Reading['columns'], field: (typeof fields)[number]): string => named[field] ?? field

type Places = { fields: [field: string, column: number][]; properties: [property: string, column: number][] }

/** Where each field stands, or which of the named columns are not there. */
const placesOf = (columns: readonly string[], named: Reading['columns']): Places | string[] => {
  const places: Places = { fields: [], properties: [] }
  const missing: string[] = []
  for (const field of fields) {
    const column = columns.indexOf(columnOf(named, field))
    if (column >= 0) places.fields.push([field, column])
    else if (named[field] !== undefined) missing.push(`columns.${field}`)
  }
  for (const [property, name] of Object.entries(named.properties ?? {})) {
    const column = columns.indexOf(name)
    if (column >= 0) places.properties.push([property, column])
    else missing.push(`columns.properties.${property}`)
  }
  if (!named.properties)
    for (const [column, name] of columns.entries())
      if (name.startsWith(propertyPrefix)) places.properties.push([name.slice(propertyPrefix.length), column])
  return missing.length > 0 ? missing : places
}

const recordOf = (row: readonly string[], places: Places): Record<string, unknown> | string => {
  const record: Record<string, unknown> = {}
  for (const [field, column] of places.fields) {
    const text = row[column]!.trim()
    if (text === '') continue
    if (field !== 'quantity') record[field] = text
    else if (decimal.test(text)) {
      if (text.replace(/^-?0*\.?0*|\./g, '').length > 15) return 'The quantity has more than 15 digits.'
      record[field] = Number(text)
    } else return `The quantity is no number: ${text.slice(0, 40)}.`
  }
  const properties = places.properties.filter(([, column]) => row[column] !== '')
  if (properties.length > 0)
    record.properties = Object.fromEntries(properties.map(([property, column]) => [property, row[column]]))
  return record
}

const readJson = (text: string, named: Reading['columns']): Record<string, unknown> | string => {
  let parsed: unknown
  try {
    parsed = JSON.parse(text.replace(/^\ufeff/, ''))
  } catch {
    return 'The line is not JSON.'
  }
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) return 'The line is no JSON object.'
  const source = parsed as Record<string, unknown>
  const record: Record<string, unknown> = {}
  for (const field of fields) {
    const value = own(source, columnOf(named, field))
    if (value !== undefined && value !== null) record[field] = value
  }
  if (named.properties) {
    const found = Object.entries(named.properties).flatMap(([property, name]) => {
      const value = own(source, name)
      return value === undefined || value === null ? [] : [[property, value] as const]
    })
    if (found.length > 0) record.properties = Object.fromEntries(found)
  } else if (own(source, 'properties') !== undefined && source.properties !== null)
    record.properties = source.properties
  return record
}
