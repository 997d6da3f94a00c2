import { type Static, Type } from 'typebox'
import { Instant, Key, Nullable, Page, Quantity, strict, TenantId, TenantQuery, Text } from './common.ts'

/** The longest key of a record: ours carry the sender's key with a prefix and a feature. */
export const recordKeyMax = 400

export const correctionActions = ['void', 'amend'] as const
const KeptKey = Type.String({ pattern: `^[\\x21-\\x7e]{1,${recordKeyMax}}$` })
const RecordKey = Type.String({ pattern: '^[\\x21-\\x7e]{1,255}$' })

/** A correction of a record that was reported before (USE-2). */
export const NewCorrection = strict({
  tenantId: Type.Optional(TenantId),
  /** The key of the record, or of an earlier correction of it. */
  corrects: KeptKey,
  /** `void` takes the record back; `amend` sets its quantity. The last correction counts. */
  action: Type.Enum(correctionActions),
  quantity: Type.Optional(Quantity),
  reason: Text(500, 3),
  idempotencyKey: RecordKey,
})
export type NewCorrection = Static<typeof NewCorrection>

const Correction = strict({
  idempotencyKey: Type.String(),
  action: Type.Enum(correctionActions),
  before: Quantity,
  after: Quantity,
  reason: Type.String(),
  correctedBy: Type.String(),
  recordedAt: Instant,
})

export const CorrectionAnswer = strict({
  tenantId: TenantId,
  meter: Key,
  /** The key of the original. */
  corrects: Type.String(),
  /** What is added to the counters: signed. */
  quantity: Quantity,
  at: Instant,
  /** True when this key had made the same correction before. */
  repeated: Type.Boolean(),
  ...Correction.properties,
})
export type CorrectionAnswer = Static<typeof CorrectionAnswer>

/**
 * A record as it was kept. The quantities of a list add up to what was counted: a correction is a record of its own, at the
 * time of its original, with the signed difference.
 */
export const RecordedUsage = strict({
  tenantId: TenantId,
  idempotencyKey: Type.String(),
  meter: Key,
  quantity: Quantity,
  at: Instant,
  recordedAt: Instant,
  /** Of the usage period that took it in. */
  windowStart: Instant,
  service: Nullable(Type.String()),
  correlationId: Nullable(Type.String()),
  properties: Nullable(Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]))),
  /** The entitlements that it was decided with. */
  snapshotVersion: Nullable(Type.Integer()),
  /** Of a correction: the key of the original, and what it did. */
  corrects: Nullable(Type.String()),
  correction: Nullable(Type.Enum(correctionActions)),
  /** Of an original: what it counts now, after all corrections; null for a correction. */
  effectiveQuantity: Nullable(Quantity),
  /** Of an original: its corrections, the first one first. */
  corrections: Type.Array(Correction),
})
export type RecordedUsage = Static<typeof RecordedUsage>

export const RecordQuery = strict({
  ...TenantQuery.properties,
  meter: Type.Optional(Key),
  from: Type.Optional(Instant),
  /** Exclusive. */
  to: Type.Optional(Instant),
  /** One record with its corrections, by its key or by that of one of them. */
  key: Type.Optional(KeptKey),
  ...Page,
})

/** Records of long ago, packed by meter and window, some thousand to a part. */
export const UsageArchive = strict({
  tenantId: TenantId,
  meter: Key,
  windowStart: Instant,
  part: Type.Integer(),
  records: Type.Integer(),
  quantity: Quantity,
  firstAt: Instant,
  lastAt: Instant,
  /** Of the text of the records. */
  sha256: Type.String(),
  archivedAt: Instant,
})
export type UsageArchive = Static<typeof UsageArchive>

export const ArchiveQuery = strict({ ...TenantQuery.properties, ...Page })
export const ArchivePartQuery = strict({
  ...TenantQuery.properties,
  meter: Key,
  windowStart: Instant,
  part: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
})

export const UsageArchivePart = strict({
  ...UsageArchive.properties,
  /** The records as a JSON array; the hash is that of this text. */
  content: Type.String(),
})
export type UsageArchivePart = Static<typeof UsageArchivePart>
