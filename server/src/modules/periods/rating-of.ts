import type { RatingPreview } from '@turnpike/contract'
import { canonicalJson, sha256 } from '../../core/canonical.ts'
import { assert } from '../../core/errors.ts'
import { contains, instantOf, type Period } from '../../core/period.ts'
import { type Catalog, findPlan } from '../catalog/index.ts'
import {
  type CommitmentStanding,
  chargesOfPlans,
  leastOf,
  type RatingInput,
  rate,
  ratingView,
  type Usage,
} from '../rating/index.ts'
import type { Begun } from './leave.ts'
import type { Terms } from './usage-period.ts'

/** Everything about a period that its lines follow from, but for its usage. */
export type Subject = {
  period: Period
  regular: Period
  timeZone: string
  subscriptionStart: Temporal.Instant
  /** In order, at least one. */
  terms: readonly Terms[]
  /** By usage price: what earlier periods left of its included quantity. */
  carried: Begun['carried']
  /** By meter, where the customer's entitlement includes more than the plan: what was carried into its window. */
  included: Readonly<Record<string, number>>
  standing: CommitmentStanding
}

/**
 * What rating is told of a period (RAT-2): the usage prices of each plan that held in it. What is held, such as the base
 * price and seats, is billed by the provider and no part of this.
 */
export const ratingInput = (catalog: Catalog, subject: Subject): RatingInput => {
  const { period, regular, terms, standing, carried, included } = subject
  const last = terms.at(-1)
  assert(last, 'a period is of terms')
  const charged = chargesOfPlans(
    terms.map(({ plan, planVersion, currency, addOns, from }, index) => {
      const version = findPlan(catalog, plan, planVersion)
      assert(version, `${plan} at version ${planVersion} is kept as long as somebody was on it`)
      return {
        file: catalog.file,
        plan: version.content,
        currency,
        addOns: Object.fromEntries(addOns.map(({ addOn, quantity }) => [addOn, quantity])),
        // What was carried was left by the plan that the period began with.
        ...(index === 0 ? { carried, included } : {}),
        from: index === 0 ? null : from,
      }
    }),
  )
  assert(charged.ok, `terms that were sold can be rated: ${JSON.stringify(charged.ok || charged.errors)}`)
  const { usage: charges, settings, maximum, trial } = charged.charges
  const trialEndsAt = terms.find((each) => each.trialEndsAt !== null)?.trialEndsAt ?? null
  return {
    currency: last.currency,
    period,
    regularPeriod: regular,
    newRegularPeriod: regular,
    timeZone: subject.timeZone,
    subscriptionStart: subject.subscriptionStart,
    at: period.end,
    trial: trialEndsAt && { endsAt: trialEndsAt, ...trial },
    charges,
    usage: [],
    changes: [],
    coupons: [],
    credits: [],
    minimum: leastOf(charged.charges, standing),
    maximum,
    taxPercent: null,
    settings,
  }
}

/**
 * Rates one period. `text` says in canonical JSON everything that the lines follow from: the same text gives the same
 * lines, to the byte. Records are named by their hash, they stand where they were reported. `hash` is of terms and usage:
 * only when these are others, a period that was rated is rated again, and not because the house rounds in another way now.
 */
export const ratingOf = (
  subject: Subject,
  input: RatingInput,
  usage: readonly Usage[],
): { text: string; hash: string; rated: () => RatingPreview } => {
  const basis = {
    currency: input.currency,
    period: spanOf(subject.period),
    regular: spanOf(subject.regular),
    timeZone: subject.timeZone,
    subscriptionStart: subject.subscriptionStart.toString(),
    terms: subject.terms.map(({ plan, planVersion, addOns, trialEndsAt, from }) => ({
      plan,
      version: planVersion,
      addOns,
      trialEndsAt: trialEndsAt?.toString() ?? null,
      from: from.toString(),
    })),
    standing: { ...subject.standing, spentBeforeMinor: String(subject.standing.spentBeforeMinor) },
    carried: Object.fromEntries(
      Object.entries(subject.carried).map(([key, lots]) => [
        key,
        lots.map(({ quantity, periodsAgo }) => [numberText(quantity), periodsAgo]),
      ]),
    ),
    included: subject.included,
    usage: usage.map(usageText),
  }
  return {
    text: canonicalJson({ ...basis, settings: digits(input.settings) }),
    hash: sha256(canonicalJson(basis)).toString('hex'),
    rated: () => {
      const whole: RatingInput = { ...input, usage }
      const view = ratingView(whole, rate(whole))
      return { ...view, lines: view.lines.map((line) => counted(line, usage)) }
    },
  }
}

/** How many records a line was made of, where rating was told sums of them. */
const counted = (line: RatingPreview['lines'][number], usage: readonly Usage[]): typeof line => {
  const { source } = line
  const told = usage.find(({ meter }) => meter === source?.meter)
  if (!source || told?.kind !== 'parts') return line
  const window = { start: instantOf(source.window.start), end: instantOf(source.window.end) }
  const records = told.parts.reduce(
    (sum, { start, transactions }) => (contains(window, start) ? sum + (transactions ?? 0) : sum),
    0,
  )
  return { ...line, source: { ...source, records } }
}

const spanOf = ({ start, end }: Period) => `${start}/${end}`
const numberText = ({ n, d }: { n: bigint; d: bigint }) => (d === 1n ? String(n) : `${n}/${d}`)
// Settings of a plan version are one object: told once.
const told = new WeakMap<object, unknown>()
const digits = (value: object): unknown => {
  const known = told.get(value)
  if (known !== undefined) return known
  const plain: unknown = plainOf(value)
  told.set(value, plain)
  return plain
}
const plainOf = (value: object): unknown =>
  JSON.parse(JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)))

const usageText = (usage: Usage) => {
  switch (usage.kind) {
    case 'total':
      return { meter: usage.meter, quantity: numberText(usage.quantity) }
    case 'parts':
      return {
        meter: usage.meter,
        parts: usage.parts.map(({ start, quantity, transactions }) => [
          start.toString(),
          numberText(quantity),
          transactions,
        ]),
      }
    case 'records':
      return {
        meter: usage.meter,
        records: usage.records.length,
        hash: sha256(
          canonicalJson(
            usage.records.map(({ at, quantity, properties }) => [at.toString(), numberText(quantity), properties]),
          ),
        ).toString('hex'),
      }
  }
}
