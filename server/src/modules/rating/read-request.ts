import type { RatingPreviewRequest } from '@turnpike/contract'
import { decimalsOf } from '../../core/currency.ts'
import type { FieldError } from '../../core/errors.ts'
import { contains, type Period } from '../../core/period.ts'
import { type Catalog, findPlan } from '../catalog/index.ts'
import { chargesOfPlans, type PlanCharges, type PlanTerms } from './charge-plan.ts'
import { findClashes } from './find-clashes.ts'
import { periodOfGrid } from './period-of-grid.ts'
import { leastOf, mergeSettings } from './plan-billing.ts'
import type { Change, Charge, RatingInput } from './price.ts'
import { readCoupons, readCredits, readMaximum, readMinimum } from './read-adjustments.ts'
import { checkKin, readCharge, readLots } from './read-charge.ts'
import { newReader, type Reader } from './read-numbers.ts'
import { checkFlatParts, readPrice } from './read-price.ts'
import { readUsage } from './read-usage.ts'
import { settingsOf } from './settings.ts'

type Read = { ok: true; input: RatingInput } | { ok: false; errors: FieldError[] }

/** A request of the API as an input that can be rated, or every mistake in it by field. Plans are those of `catalog`. */
export const readRatingRequest = (request: RatingPreviewRequest, catalog: Catalog | null): Read => {
  const reader = newReader()
  if (decimalsOf(request.currency) === null) reader.report('currency', 'is no currency of ISO 4217')
  const timeZone = readTimeZone(reader, request.timeZone)
  const period = readPeriod(reader, request, timeZone)
  const regularPeriod = request.regularPeriod ? reader.period('regularPeriod', request.regularPeriod) : period.regular
  const instant = (field: 'at' | 'subscriptionStart', otherwise: Temporal.Instant) =>
    request[field] === undefined ? otherwise : reader.instant(field, request[field])
  const plan = readPlans(reader, request, catalog)
  const charges = readCharges(reader, request, plan)
  const input: RatingInput = {
    currency: request.currency,
    period: period.charged,
    regularPeriod,
    newRegularPeriod: request.newRegularPeriod
      ? reader.period('newRegularPeriod', request.newRegularPeriod)
      : regularPeriod,
    timeZone,
    subscriptionStart: instant('subscriptionStart', period.charged.start),
    at: instant('at', period.charged.end),
    trial: request.trial
      ? {
          endsAt: reader.instant('trial.endsAt', request.trial.endsAt),
          usage: request.trial.usage ?? plan?.trial.usage ?? 'free',
          firstPeriod: request.trial.firstPeriod ?? plan?.trial.firstPeriod ?? 'prorate',
        }
      : null,
    charges,
    usage: readUsage(reader, request.usage ?? []),
    changes: readChanges(reader, request.changes ?? [], charges, period.charged),
    coupons: readCoupons(reader, request.coupons ?? []),
    credits: readCredits(reader, request.credits ?? []),
    minimum: request.minimum ? readMinimum(reader, request.minimum) : plan && leastOf(plan, standing),
    maximum: request.maximum ? readMaximum(reader, request.maximum) : (plan?.maximum ?? null),
    taxPercent: request.taxPercent === undefined ? null : readTax(reader, request.taxPercent),
    settings: settingsOf(reader, mergeSettings(plan?.chosen ?? {}, request.settings ?? {}), request.currency),
  }
  const errors = reader.errors.length > 0 ? reader.errors : findClashes(input).slice(0, 20)
  return errors.length > 0 ? { ok: false, errors } : { ok: true, input }
}

const readTax = (reader: Reader, percent: string | number) => {
  reader.percent('taxPercent', percent, 1_000)
  return reader.exact('taxPercent', percent)
}

const readTimeZone = (reader: Reader, name: string | undefined): string => {
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name ?? 'UTC').timeZoneId
  } catch {
    reader.report('timeZone', 'is no time zone of the IANA list')
    return 'UTC'
  }
}

const nowhere: Period = {
  start: Temporal.Instant.fromEpochMilliseconds(0),
  end: Temporal.Instant.fromEpochMilliseconds(1_000),
}

const readPeriod = (
  reader: Reader,
  { period, grid }: RatingPreviewRequest,
  timeZone: string,
): { charged: Period; regular: Period } => {
  if (period) {
    if (grid) reader.report('grid', 'cannot stand beside period: give one of the two')
    const charged = reader.period('period', period)
    return { charged, regular: charged }
  }
  if (!grid) {
    reader.report('period', 'is missing: give period or grid')
    return { charged: nowhere, regular: nowhere }
  }
  const anchor = reader.instant('grid.anchor', grid.anchor)
  const at = reader.instant('grid.at', grid.at)
  if (Temporal.Instant.compare(at, anchor) < 0) reader.report('grid.at', 'must not be before the anchor')
  if (grid.fixes === 'day_of_month') {
    if (grid.day === undefined) reader.report('grid.day', 'is missing for day_of_month')
    if (grid.interval !== 'month' && grid.interval !== 'year')
      reader.report('grid.interval', 'must be month or year for day_of_month')
  } else if (grid.day !== undefined) reader.report('grid.day', 'is read with day_of_month only')
  if (reader.errors.length > 0) return { charged: nowhere, regular: nowhere }
  const day = grid.fixes === 'day_of_month' ? grid.day! : null
  return periodOfGrid({ anchor, at, timeZone, interval: { unit: grid.interval, count: grid.count ?? 1 }, day })
}

/** A preview is of the first period of a commitment; `minimum` of the request says another. */
const standing = { periodsBefore: 0, spentBeforeMinor: 0n, ends: false }

/** The plans in the order of time, or null where there is none or something is wrong with them. */
const readPlans = (
  reader: Reader,
  { plan, planChanges = [], currency }: RatingPreviewRequest,
  catalog: Catalog | null,
): PlanCharges | null => {
  if (!plan && planChanges.length > 0) reader.report('planChanges', 'is read with plan only')
  if (plan && !catalog) reader.report('plan', 'is not in the catalog')
  if (!plan || !catalog) return null
  const fieldOf = (step: number) => (step === 0 ? 'plan' : `planChanges.${step - 1}`)
  let before: Temporal.Instant | null = null
  const steps = [{ ...plan, at: null }, ...planChanges].flatMap(
    (choice, step): (PlanTerms & { from: Temporal.Instant | null })[] => {
      const field = fieldOf(step)
      const from = choice.at === null ? null : reader.instant(`${field}.at`, choice.at)
      if (from && before && Temporal.Instant.compare(from, before) <= 0)
        reader.report(`${field}.at`, 'must be after the change before')
      before = from
      const version = findPlan(catalog, choice.plan, choice.version)?.content
      if (!version)
        reader.report(`${field}.${choice.version === undefined ? 'plan' : 'version'}`, 'is not in the catalog')
      const { price, seats, addOns } = choice
      const carried = Object.fromEntries(
        Object.entries(choice.carried ?? {}).map(([key, lots]) => [
          key,
          readLots(reader, `${field}.carried.${key}`, lots),
        ]),
      )
      return version ? [{ file: catalog.file, plan: version, price, currency, seats, addOns, carried, from }] : []
    },
  )
  if (steps.length === 0) return null
  const charged = chargesOfPlans(steps)
  if (charged.ok) return charged.charges
  for (const { step, field, message } of charged.errors) reader.report(`${fieldOf(step)}.${field}`, message)
  return null
}

/** The charges of the plans, then those of the request. */
const readCharges = (reader: Reader, { plan, charges = [] }: RatingPreviewRequest, ofPlans: PlanCharges | null) => {
  if (!plan && charges.length === 0) reader.report('charges', 'is missing, and so is plan: there is nothing to rate')
  const first = ofPlans ? [...ofPlans.recurring, ...ofPlans.usage] : []
  const all: Charge[] = [...first, ...charges.map((charge, index) => readCharge(reader, `charges.${index}`, charge))]
  for (const [index, { key }] of charges.entries())
    if (all.findIndex((charge) => charge.key === key) !== first.length + index)
      reader.report(`charges.${index}.key`, 'stands twice')
  return all
}

const readChanges = (
  reader: Reader,
  changes: NonNullable<RatingPreviewRequest['changes']>,
  charges: readonly Charge[],
  period: Period,
): Change[] => {
  const seen = new Set<string>()
  return changes.map((change, index) => {
    const field = `changes.${index}`
    const charge = charges.find(({ key }) => key === change.charge)
    const at = reader.instant(`${field}.at`, change.at)
    const price = change.price ? readPrice(reader, `${field}.price`, change.price) : null
    const turn = `${change.charge} ${at}`
    if (seen.has(turn)) reader.report(`${field}.at`, 'is the time of another change of this charge')
    seen.add(turn)
    if (!charge) reader.report(`${field}.charge`, 'is no charge of this request')
    if (!contains(period, at)) reader.report(`${field}.at`, 'must be inside the period')
    if (change.quantity === undefined && !change.price)
      reader.report(`${field}.quantity`, 'is missing, and so is price: nothing changes')
    if (charge && change.quantity !== undefined && (charge.basis.kind === 'usage' || charge.price.model === 'flat'))
      reader.report(`${field}.quantity`, 'is read for charges with a quantity only')
    if (charge?.price.model === 'one_time')
      reader.report(`${field}.charge`, 'cannot be that of a one_time price, which is charged once and never changes')
    if (change.price && charge?.basis.kind === 'usage') checkFlatParts(reader, `${field}.price`, change.price)
    if (charge && price) checkKin(reader, `${field}.price.model`, charge.price, price)
    return { at, charge: change.charge, quantity: reader.exactOrNull(`${field}.quantity`, change.quantity), price }
  })
}
