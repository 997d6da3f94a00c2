import type { RatingCharge } from '@turnpike/contract'
import { one, zero } from './exact.ts'
import type { Charge, Included, Lot, Price, Source } from './price.ts'
import type { Reader } from './read-numbers.ts'
import { checkFlatParts, readPrice } from './read-price.ts'

export const readCharge = (reader: Reader, field: string, charge: RatingCharge): Charge => {
  const price = readPrice(reader, `${field}.price`, charge.price)
  const ramp = (charge.ramp ?? []).map((step, index) => ({
    fromMonth: step.fromMonth,
    price: readPrice(reader, `${field}.ramp.${index}.price`, step.price),
  }))
  for (const [index, step] of ramp.entries()) {
    checkKin(reader, `${field}.ramp.${index}.price.model`, price, step.price)
    if (ramp.findIndex(({ fromMonth }) => fromMonth === step.fromMonth) !== index)
      reader.report(`${field}.ramp.${index}.fromMonth`, 'stands twice')
  }
  const basis = readBasis(reader, field, charge, price)
  if (basis.kind === 'usage') {
    checkFlatParts(reader, `${field}.price`, charge.price)
    for (const [index, step] of (charge.ramp ?? []).entries())
      checkFlatParts(reader, `${field}.ramp.${index}.price`, step.price)
  }
  return {
    key: charge.key,
    name: charge.name ?? charge.key,
    basis,
    price,
    ramp,
    included: charge.included ? readIncluded(reader, `${field}.included`, charge.included, price) : null,
    from: charge.from === undefined ? null : { at: reader.instant(`${field}.from`, charge.from), by: 'start' },
    until: charge.until === undefined ? null : { at: reader.instant(`${field}.until`, charge.until), by: 'end' },
  }
}

/** A price may become another of its kin: what is held stays held, what rates transactions goes on rating them. */
export const checkKin = (reader: Reader, field: string, before: Price, after: Price): void => {
  const kin = ({ model }: Price) =>
    model === 'one_time' || model === 'percentage' || model === 'flat' ? model : 'of a quantity'
  if (before.model !== 'one_time' && kin(before) !== kin(after))
    reader.report(
      field,
      `cannot come after ${before.model}: end this charge with until and begin another one with from`,
    )
  if (before.model === 'one_time')
    reader.report(field, 'cannot come after one_time, which is charged once and never changes')
}

const ofUsage = [
  'meter',
  'filter',
  'aggregation',
  'property',
  'valueBefore',
  'levelBy',
  'changesInDay',
  'bucket',
  'alreadyBilled',
] as const satisfies (keyof RatingCharge)[]

const readBasis = (reader: Reader, field: string, charge: RatingCharge, { model }: Price): Charge['basis'] => {
  const refuse = (key: keyof RatingCharge, message: string) => {
    if (charge[key] !== undefined) reader.report(`${field}.${key}`, message)
  }
  const isFlat = model === 'flat' || model === 'one_time'
  if (!isFlat && charge.quantity === undefined) return readSource(reader, field, charge, model)
  for (const key of ofUsage) refuse(key, 'is of usage, and this charge is for what is held')
  if (model === 'flat') refuse('quantity', 'is not read by flat: per_unit charges each')
  if (model === 'percentage') refuse('quantity', 'is not read by percentage: it is of usage')
  if (isFlat) refuse('included', `is not read by ${model}`)
  if (charge.included?.rollover)
    reader.report(`${field}.included.rollover`, 'is of usage, and this charge is for what is held')
  if (charge.included?.prorated)
    reader.report(`${field}.included.prorated`, 'is of usage: what is held is charged by time as a whole')
  return {
    kind: 'held',
    quantity: charge.quantity === undefined ? one : reader.exact(`${field}.quantity`, charge.quantity),
  }
}

const readSource = (reader: Reader, field: string, charge: RatingCharge, model: Price['model']): Charge['basis'] => {
  const aggregation = charge.aggregation ?? 'sum'
  const clash = (isWrong: boolean, key: string, message: string) => {
    if (isWrong) reader.report(`${field}.${key}`, message)
  }
  const isLevel = aggregation === 'latest' || aggregation === 'time_weighted'
  clash(aggregation === 'unique' && charge.property === undefined, 'property', 'is missing: unique counts its values')
  clash(aggregation !== 'unique' && charge.property !== undefined, 'property', 'is read by unique only')
  clash(!isLevel && charge.valueBefore !== undefined, 'valueBefore', 'is read by latest and time_weighted only')
  clash(!isLevel && charge.levelBy !== undefined, 'levelBy', 'is read by latest and time_weighted only')
  clash(
    aggregation !== 'time_weighted' && charge.changesInDay !== undefined,
    'changesInDay',
    'is read by time_weighted only',
  )
  clash(
    aggregation === 'time_weighted' && charge.bucket !== undefined,
    'bucket',
    'cannot be combined with time_weighted',
  )
  clash(
    charge.bucket?.size === 'record' && aggregation !== 'sum' && aggregation !== 'count',
    'bucket.size',
    'record is of sums and counts',
  )
  if (model === 'percentage') {
    clash(aggregation !== 'sum', 'aggregation', 'must be sum: a percentage is of the sum of its transactions')
    clash(charge.bucket !== undefined, 'bucket', 'is not read by percentage')
    clash(
      charge.alreadyBilled !== undefined,
      'alreadyBilled',
      'is not read by percentage: each transaction stands for itself',
    )
  }
  if (charge.alreadyBilled !== undefined) {
    clash(aggregation !== 'sum' && aggregation !== 'count', 'alreadyBilled', 'is of sums and counts')
    clash(charge.bucket !== undefined, 'alreadyBilled', 'cannot be combined with bucket')
    clash(charge.included?.rollover !== undefined, 'alreadyBilled', 'cannot be combined with rollover')
  }
  clash(
    charge.bucket !== undefined && charge.bucket.priced !== 'on_sum' && charge.included?.rollover !== undefined,
    'included.rollover',
    'cannot be combined with a price per bucket',
  )
  return {
    kind: 'usage',
    meter: charge.meter ?? charge.key,
    filter: charge.filter ?? {},
    aggregation,
    property: charge.property ?? null,
    valueBefore:
      charge.valueBefore === undefined ? zero : reader.exact(`${field}.valueBefore`, charge.valueBefore, 'any'),
    levelBy: charge.levelBy ?? 'set',
    changesInDay: charge.changesInDay ?? 'exact',
    bucket: charge.bucket ? readBucket(reader, `${field}.bucket`, charge.bucket) : null,
    alreadyBilled: reader.exactOrNull(`${field}.alreadyBilled`, charge.alreadyBilled),
  }
}

const readBucket = (reader: Reader, field: string, bucket: NonNullable<RatingCharge['bucket']>): Source['bucket'] => ({
  size: bucket.size,
  priced: bucket.priced ?? 'per_bucket',
  maximumQuantity: reader.exactOrNull(`${field}.maximumQuantity`, bucket.maximumQuantity),
})

const readIncluded = (
  reader: Reader,
  field: string,
  { quantity, mode, prorated, rollover }: NonNullable<RatingCharge['included']>,
  { model }: Price,
): Included => {
  // Where there are no tiers, "inside" them and "before" them are the same.
  const isTiered = model === 'graduated' || model === 'volume'
  if (mode === 'inside' && !isTiered)
    reader.report(`${field}.mode`, `cannot be inside for ${model}, which has no tiers`)
  return {
    quantity: reader.exact(`${field}.quantity`, quantity),
    mode: mode ?? 'before',
    prorated: prorated ?? false,
    rollover: rollover
      ? {
          lots: readLots(reader, `${field}.rollover.lots`, rollover.lots),
          capUnits: reader.exactOrNull(`${field}.rollover.capUnits`, rollover.capUnits),
          capPercent: reader.exactOrNull(`${field}.rollover.capPercent`, rollover.capPercent),
          expiresAfterPeriods: rollover.expiresAfterPeriods ?? 1,
          order: rollover.order ?? 'oldest_first',
        }
      : null,
  }
}

type SentLots = NonNullable<NonNullable<RatingCharge['included']>['rollover']>['lots']
export const readLots = (reader: Reader, field: string, lots: SentLots): Lot[] =>
  lots.map((lot, index) => ({
    quantity: reader.exact(`${field}.${index}.quantity`, lot.quantity),
    periodsAgo: lot.periodsAgo,
  }))
