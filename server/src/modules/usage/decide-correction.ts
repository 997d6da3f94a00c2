import { isWhole, type Micro } from '../../core/quantity.ts'

export type CorrectionAction = 'void' | 'amend'

/** What a correction makes of a record: the signed difference that is added, and what the record counts from then on. */
export type Correction = { delta: Micro; before: Micro; after: Micro }

export type CorrectionRefusal = 'quantity_missing' | 'quantity_not_wanted' | 'quantity_not_whole' | 'counts_records'

/**
 * Decides a correction of a record (USE-2): `void` takes it back, `amend` sets its quantity. The last one counts, so that what
 * was voided may be amended again. The original stays as it was; a correction is a record of its own with the difference, so
 * that the sum of all records is always what is counted.
 */
export const decideCorrection = (
  original: { quantity: Micro },
  earlier: readonly { quantity: Micro }[],
  wanted: { action: CorrectionAction; quantity: Micro | null },
  meter: { fractional: boolean; countsRecords: boolean },
): Correction | CorrectionRefusal => {
  if (wanted.action === 'void' && wanted.quantity !== null) return 'quantity_not_wanted'
  if (wanted.action === 'amend') {
    // One record is one, whatever it carries.
    if (meter.countsRecords) return 'counts_records'
    if (wanted.quantity === null) return 'quantity_missing'
    if (!meter.fractional && !isWhole(wanted.quantity)) return 'quantity_not_whole'
  }
  const before = earlier.reduce((sum, { quantity }) => sum + quantity, original.quantity)
  const after = wanted.quantity ?? 0n
  return { delta: after - before, before, after }
}
