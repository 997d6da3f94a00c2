import { type Static, Type } from 'typebox'
import { importFormats } from '../import-rows.ts'
import { Id, Instant, Key, Nullable, strict, TenantId, Text } from './common.ts'

const Column = Text(100)
const Name = Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_.-]{0,62}$' })

/**
 * Which column (CSV) or field (NDJSON) holds what. What is left out is read from the column of its own name, where there is
 * one; a column `properties.region` holds the property `region`.
 */
const ImportColumns = strict({
  tenantId: Type.Optional(Column),
  meter: Type.Optional(Column),
  quantity: Type.Optional(Column),
  at: Type.Optional(Column),
  idempotencyKey: Type.Optional(Column),
  service: Type.Optional(Column),
  correlationId: Type.Optional(Column),
  properties: Type.Optional(
    Type.Record(Name, Column, { additionalProperties: false, maxProperties: 20, description: 'Property → column.' }),
  ),
})

/** A file of past usage. The same file with the same name and reading is the same import: creating it again finds it. */
export const NewUsageImport = strict({
  /** Whose usage it is; left out, each row names its tenant. */
  tenantId: Type.Optional(TenantId),
  name: Text(200),
  format: Type.Enum(importFormats),
  /** Of the whole file, in bytes. */
  size: Type.Integer({ minimum: 1, maximum: 1_099_511_627_776 }),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  columns: Type.Optional(ImportColumns),
  /** The meter of rows that name none. */
  meter: Type.Optional(Key),
  delimiter: Type.Optional(Type.Enum([',', ';', '\t', '|'])),
})
export type NewUsageImport = Static<typeof NewUsageImport>

/** The next piece of the file: whole rows, beginning at this byte. */
export const UsageImportChunk = strict({
  offset: Type.Integer({ minimum: 0 }),
  text: Type.String({ minLength: 1, maxLength: 2_000_000 }),
})

export const importMistakesMax = 100

export const UsageImport = strict({
  id: Id('import'),
  tenantId: Nullable(TenantId),
  name: Type.String(),
  format: Type.Enum(importFormats),
  size: Type.Integer(),
  sha256: Type.String(),
  state: Type.Enum(['receiving', 'done']),
  /** How many bytes were taken in: the offset of the next piece. */
  offset: Type.Integer(),
  lines: Type.Integer(),
  accepted: Type.Integer(),
  duplicates: Type.Integer(),
  invalid: Type.Integer(),
  /** The first mistakes, by line from 1. */
  mistakes: Type.Array(strict({ line: Type.Integer(), code: Type.String(), detail: Type.String() }), {
    maxItems: importMistakesMax,
  }),
  createdBy: Type.String(),
  createdAt: Instant,
  updatedAt: Instant,
  finishedAt: Nullable(Instant),
})
export type UsageImport = Static<typeof UsageImport>

export const ImportParams = strict({ importId: Id('import') })
