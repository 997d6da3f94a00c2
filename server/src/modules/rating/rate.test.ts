import type { RatingPreviewRequest, RatingPrice } from '@turnpike/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { april } from './testing/april.ts'
import { preview } from './testing/preview.ts'
import { slowTotal } from './testing/slow-rate.ts'

/** What holds for every price, usage and change (RAT-2). */
const runs = { numRuns: 300 }
const hour = Date.parse(april.start)
const decimal = (most: number) =>
  fc
    .tuple(fc.nat(most), fc.integer({ min: 0, max: 999 }))
    .map(([whole, parts]) => `${whole}.${String(parts).padStart(3, '0')}`)
const tiers = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 3 }),
    fc.array(decimal(20), { minLength: 4, maxLength: 4 }),
    fc.array(fc.nat(50), { minLength: 4, maxLength: 4 }),
  )
  .map(([bounds, units, flats]) =>
    [...bounds.sort((a, b) => a - b), null].map((upTo, index) => ({
      upTo,
      unitAmount: units[index]!,
      flatAmount: flats[index]!,
    })),
  )
const tiered = fc.record({
  model: fc.constantFrom('graduated' as const, 'volume' as const),
  tiers,
  tierBounds: fc.constantFrom('inclusive' as const, 'exclusive' as const),
  flatAtZero: fc.constantFrom('due' as const, 'not_due' as const),
})
const plain = decimal(20).map((unitAmount) => ({ model: 'per_unit' as const, unitAmount }))
const packages = fc.record({
  model: fc.constant('package' as const),
  unitAmount: decimal(50),
  packageSize: fc.integer({ min: 1, max: 20 }),
  packageRounding: fc.constantFrom('up' as const, 'down' as const, 'fraction' as const),
})
const ofQuantity: fc.Arbitrary<RatingPrice> = fc.oneof(plain, tiered, packages)
const at = fc.integer({ min: 0, max: 719 }).map((hours) => new Date(hour + hours * 3_600_000).toISOString())
const records = fc.array(fc.record({ at, quantity: decimal(40) }), { maxLength: 6 })
const included = fc.option(
  fc.record({ quantity: fc.nat(30), mode: fc.constantFrom('before' as const, 'reprice_all' as const) }),
  { nil: undefined },
)
const rounding = fc.constantFrom('half_up' as const, 'half_even' as const, 'down' as const, 'up' as const)
const usageOf = (
  price: RatingPrice,
  list: { at: string; quantity: string }[],
  more: Partial<RatingPreviewRequest> = {},
): RatingPreviewRequest => ({
  currency: 'USD',
  period: april,
  charges: [{ key: 'calls', price }],
  usage: [{ meter: 'calls', records: list }],
  ...more,
})
const exactOf = (text: string): number => {
  const [n, d = '1'] = text.split('/')
  return Number(n) / Number(d)
}

test('a whole invoice is what somebody gets who counts it out', () => {
  const plan = fc.record({
    usage: ofQuantity,
    included,
    records,
    seats: fc.oneof(plain, tiered),
    quantity: fc.nat(30),
    changes: fc.uniqueArray(fc.tuple(at, fc.nat(30)), { maxLength: 3, selector: ([time]) => time }),
    base: decimal(5000),
    percentOff: fc.integer({ min: 0, max: 100 }),
    credits: fc.array(fc.record({ amount: fc.integer({ min: 1, max: 4000 }), priority: fc.nat(3) }), { maxLength: 3 }),
    minimum: fc.nat(9000),
    maximum: fc.integer({ min: 3000, max: 9000 }),
    taxPercent: fc.nat(25),
    roundingMode: rounding,
    order: fc.shuffledSubarray(['minimum', 'maximum', 'discount', 'credit', 'tax'] as const, { minLength: 5 }),
  })
  fc.assert(
    fc.property(plan, (given) => {
      const request: RatingPreviewRequest = {
        currency: 'USD',
        period: april,
        charges: [
          { key: 'calls', price: given.usage, included: given.included },
          { key: 'seats', price: given.seats, quantity: given.quantity },
          { key: 'base', price: { model: 'flat', unitAmount: given.base } },
        ],
        usage: [{ meter: 'calls', records: given.records }],
        changes: given.changes.map(([time, quantity]) => ({ at: time, charge: 'seats', quantity })),
        coupons: [{ key: 'off', percentOff: given.percentOff }],
        credits: given.credits.map((credit, index) => ({ key: `credit_${index}`, ...credit })),
        minimum: { amount: given.minimum },
        maximum: { amount: given.maximum },
        taxPercent: given.taxPercent,
        settings: { rounding: given.roundingMode, order: given.order },
      }
      expect(preview(request).total.amountMinor).toBe(String(slowTotal(request)))
    }),
    runs,
  )
})

test('splitting usage into more records changes no amount', () => {
  fc.assert(
    fc.property(ofQuantity, records, (price, list) => {
      const halves = list.flatMap((record) => {
        const [whole, parts] = record.quantity.split('.')
        return [
          { ...record, quantity: `${whole}.000` },
          { ...record, quantity: `0.${parts}` },
        ]
      })
      const [once, split] = [preview(usageOf(price, list)), preview(usageOf(price, halves))]
      expect(split.lines[0]!.exactAmount).toBe(once.lines[0]!.exactAmount)
      expect(split.total).toEqual(once.total)
    }),
    runs,
  )
})

test('the order of usage changes nothing at all', () => {
  const price = fc.oneof(
    ofQuantity,
    fc.record({
      model: fc.constant('percentage' as const),
      percent: decimal(5),
      fixedFee: fc.nat(20),
      transactionMinimum: fc.nat(10),
      includedTransactions: fc.nat(3),
    }),
  )
  fc.assert(
    fc.property(
      price,
      records.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
      (model, [list, shuffled]) => {
        expect(JSON.stringify(preview(usageOf(model, shuffled)))).toBe(JSON.stringify(preview(usageOf(model, list))))
      },
    ),
    runs,
  )
})

test('equal requests give equal bytes', () => {
  fc.assert(
    fc.property(ofQuantity, records, rounding, (price, list, mode) => {
      const request = usageOf(price, list, { settings: { rounding: mode, roundAt: 'invoice' } })
      expect(JSON.stringify(preview(structuredClone(request)))).toBe(JSON.stringify(preview(request)))
    }),
    runs,
  )
})

test('graduated is the sum of its tiers', () => {
  fc.assert(
    fc.property(tiers, decimal(80), (list, quantity) => {
      const whole = preview(usageOf({ model: 'graduated', tiers: list }, [{ at: april.start, quantity }]))
      const each = list.map((tier, index) => {
        const lower = index === 0 ? 0 : list[index - 1]!.upTo!
        const inside = Math.max(0, Math.min(Number(quantity), tier.upTo ?? Number.POSITIVE_INFINITY) - lower)
        return inside * Number(tier.unitAmount) + (inside > 0 || index === 0 ? tier.flatAmount : 0)
      })
      expect(exactOf(whole.lines[0]!.exactAmount)).toBeCloseTo(
        each.reduce((a, b) => a + b, 0),
        6,
      )
    }),
    runs,
  )
})

test('inside one tier, more never costs less under volume pricing; above a bound it may', () => {
  fc.assert(
    fc.property(tiers, fc.nat(80), (list, quantity) => {
      const cost = (units: number) => {
        const line = preview(usageOf({ model: 'volume', tiers: list }, [{ at: april.start, quantity: String(units) }]))
          .lines[0]!
        return { amount: exactOf(line.exactAmount), tier: line.calculation[0]?.tier ?? 1 }
      }
      const [less, more] = [cost(quantity), cost(quantity + 1)]
      if (less.tier === more.tier) expect(more.amount).toBeGreaterThanOrEqual(less.amount)
    }),
    runs,
  )
})

test('no line is below zero without a credit, and no total is', () => {
  const changes = fc.uniqueArray(fc.tuple(at, fc.nat(30)), { maxLength: 3, selector: ([time]) => time })
  fc.assert(
    fc.property(ofQuantity, records, changes, fc.boolean(), (price, list, turns, isAdvance) => {
      const view = preview(
        usageOf(price, list, {
          charges: [
            { key: 'calls', price },
            { key: 'seats', price: { model: 'per_unit', unitAmount: 10 }, quantity: 5 },
          ],
          changes: turns.map(([time, quantity]) => ({ at: time, charge: 'seats', quantity })),
          coupons: [{ key: 'off', amountOff: 100_000 }],
          settings: { proration: { style: isAdvance ? 'credit_and_charge' : 'segments' } },
        }),
      )
      for (const line of view.lines)
        if (line.kind !== 'proration_credit') expect(BigInt(line.amount.amountMinor)).toBeGreaterThanOrEqual(0n)
      if (!isAdvance) expect(BigInt(view.total.amountMinor)).toBeGreaterThanOrEqual(0n)
      expect(BigInt(view.due.amountMinor)).toBeGreaterThanOrEqual(0n)
    }),
    runs,
  )
})

describe('rounding', () => {
  test.each(['unit', 'step', 'line', 'invoice'] as const)(
    'at the %s is never further off than the stated bound',
    (roundAt) => {
      fc.assert(
        fc.property(
          fc.array(decimal(20), { minLength: 1, maxLength: 6 }),
          fc.nat(9),
          rounding,
          (amounts, quantity, mode) => {
            const view = preview({
              currency: 'USD',
              period: april,
              charges: amounts.map((unitAmount, index) => ({
                key: `c${index}`,
                quantity,
                price: { model: 'per_unit', unitAmount },
              })),
              settings: { roundAt, rounding: mode },
            })
            const exact = amounts.reduce((sum, amount) => sum + BigInt(amount.replace('.', '')) * BigInt(quantity), 0n)
            const off = Math.abs(Number(BigInt(view.subtotal.amountMinor) * 1000n - exact)) / 1000
            expect(off).toBeLessThanOrEqual(exactOf(view.roundingBound))
          },
        ),
        runs,
      )
    },
  )

  test('lines, their nets and the adjustments add up, whatever is taken off', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(999), { minLength: 1, maxLength: 6 }),
        fc.nat(3000),
        fc.nat(100),
        fc.constantFrom('largest_remainder' as const, 'first_line' as const, 'last_line' as const),
        (amounts, off, percentOff, remainder) => {
          const view = preview({
            currency: 'USD',
            period: april,
            charges: amounts.map((unitAmount, index) => ({ key: `c${index}`, price: { model: 'flat', unitAmount } })),
            coupons: [
              { key: 'a', amountOff: off },
              { key: 'b', percentOff },
            ],
            settings: { remainder },
          })
          const sum = (all: { amountMinor: string }[]) =>
            all.reduce((total, { amountMinor }) => total + BigInt(amountMinor), 0n)
          expect(sum(view.lines.map(({ net }) => net))).toBe(BigInt(view.total.amountMinor))
          expect(sum([view.subtotal, ...view.adjustments.map(({ amount }) => amount)])).toBe(
            BigInt(view.total.amountMinor),
          )
          for (const { amount, spread } of view.adjustments)
            expect(sum(spread.map((part) => part.amount))).toBe(BigInt(amount.amountMinor))
          for (const { net } of view.lines) expect(BigInt(net.amountMinor)).toBeGreaterThanOrEqual(0n)
        },
      ),
      runs,
    )
  })
})
