import type { RatingPreviewRequest } from '@turnpike/contract'
import { canonicalJson } from '../../core/canonical.ts'
import { one } from './exact.ts'
import type { Usage, UsageRecord } from './price.ts'
import type { Reader } from './read-numbers.ts'

type Sent = NonNullable<RatingPreviewRequest['usage']>[number]

export const readUsage = (reader: Reader, usage: readonly Sent[]): Usage[] =>
  usage.map((entry, index): Usage => {
    const field = `usage.${index}`
    if (usage.findIndex(({ meter }) => meter === entry.meter) !== index) reader.report(`${field}.meter`, 'stands twice')
    if (entry.quantity === undefined && entry.records === undefined)
      reader.report(`${field}.quantity`, 'is missing: give quantity or records')
    if (entry.quantity !== undefined && entry.records !== undefined)
      reader.report(`${field}.quantity`, 'cannot stand beside records: give one of the two')
    if (entry.transactions !== undefined && entry.quantity === undefined)
      reader.report(`${field}.transactions`, 'is read with quantity only: records are transactions')
    if (entry.records !== undefined)
      return { meter: entry.meter, kind: 'records', records: readRecords(reader, `${field}.records`, entry.records) }
    return {
      meter: entry.meter,
      kind: 'total',
      quantity: reader.exact(`${field}.quantity`, entry.quantity ?? 0, 'any'),
      transactions: entry.transactions ?? null,
    }
  })

/** Convention 12: the same record again is counted once; another one under the same id is refused. */
const readRecords = (reader: Reader, field: string, records: NonNullable<Sent['records']>): UsageRecord[] => {
  const seen = new Map<string, string>()
  return records.flatMap((record, index) => {
    const read = {
      at: reader.instant(`${field}.${index}.at`, record.at),
      quantity:
        record.quantity === undefined ? one : reader.exact(`${field}.${index}.quantity`, record.quantity, 'any'),
      id: record.id ?? null,
      properties: record.properties ?? {},
    }
    if (read.id === null) return [read]
    const content = canonicalJson({
      at: read.at.toString(),
      quantity: [String(read.quantity.n), String(read.quantity.d)],
      properties: read.properties,
    })
    const earlier = seen.get(read.id)
    if (earlier === undefined) {
      seen.set(read.id, content)
      return [read]
    }
    if (earlier !== content) reader.report(`${field}.${index}.id`, 'is the id of another record with different content')
    return []
  })
}
