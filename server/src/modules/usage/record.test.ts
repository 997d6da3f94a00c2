import type { CatalogMeter, UsageRecord } from '@turnpike/contract'
import { expect, test } from 'vitest'
import { meterRules } from './meter-rules.ts'
import { prepareRecord, prepareReport } from './record.ts'

const now = Date.parse('2026-06-15T12:00:00Z')
const policy = { acceptLateDays: 35, acceptFutureSeconds: 300 }
const whole: CatalogMeter = { name: 'Calls', unit: 'call', aggregation: 'sum' }
const rulesOf = (meter: CatalogMeter | undefined) => meter && meterRules({ calls: meter }).get('calls')
const prepare = (more: Partial<UsageRecord>, meter: CatalogMeter | undefined = whole) =>
  prepareRecord({ meter: 'calls', idempotencyKey: 'k', ...more }, rulesOf(meter), policy, now)
const at = (offsetMs: number) => Temporal.Instant.fromEpochMilliseconds(now + offsetMs).toString()

test('what is left out is one unit, now', () => {
  expect(prepare({})).toEqual({
    idempotencyKey: 'k',
    meter: 'calls',
    quantity: 1_000_000n,
    effects: [{ meter: 'calls', aggregation: 'sum', counted: 'sum' }],
    at: now,
    atGiven: false,
    service: null,
    correlationId: null,
    properties: null,
  })
})

test.each<[string, Partial<UsageRecord>, CatalogMeter | undefined, object]>([
  ['a fraction of a whole unit', { quantity: 0.5 }, whole, { code: 'quantity_not_whole' }],
  ['a fraction where the meter takes them', { quantity: 0.5 }, { ...whole, fractional: true }, { quantity: 500_000n }],
  ['a millionth', { quantity: 0.000001 }, { ...whole, fractional: true }, { quantity: 1n }],
  ['less than a millionth', { quantity: 0.0000001 }, { ...whole, fractional: true }, { code: 'quantity_out_of_range' }],
  ['a negative quantity', { quantity: -1 }, whole, { code: 'quantity_negative' }],
  ['nothing', { quantity: 0 }, whole, { quantity: 0n }],
  ['15 digits', { quantity: 999_999_999_999_999 }, whole, { quantity: 999_999_999_999_999_000_000n }],
  ['16 digits', { quantity: 1e15 }, whole, { code: 'quantity_out_of_range' }],
  ['any quantity of a counting meter', { quantity: 9 }, { ...whole, aggregation: 'count' }, { quantity: 1_000_000n }],
  ['a meter that is not there', {}, undefined, { code: 'meter_unknown' }],
])('%s', (_, record, meter, expected) => {
  const prepared = prepareRecord({ meter: 'calls', idempotencyKey: 'k', ...record }, rulesOf(meter), policy, now)
  expect(prepared).toMatchObject(expected)
})

const dayMs = 86_400_000
test.each<[string, string, object]>([
  ['exactly as late as is accepted', at(-35 * dayMs), { at: now - 35 * dayMs }],
  ['a millisecond later', at(-35 * dayMs - 1), { code: 'time_too_old' }],
  ['exactly as far ahead as is accepted', at(300_000), { at: now + 300_000 }],
  ['a millisecond further', at(300_001), { code: 'time_in_future' }],
  ['with an offset', '2026-06-15T14:00:00+02:00', { at: now, atGiven: true }],
  ['in small letters', '2026-06-15t12:00:00z', { at: now }],
  ['with nanoseconds', '2026-06-15T12:00:00.123456789Z', { at: now + 123 }],
  ['the 31st of a month of 30 days', '2026-06-31T00:00:00Z', { code: 'time_invalid' }],
  ['the 29th of February of a common year', '2026-02-29T00:00:00Z', { code: 'time_invalid' }],
  ['the 30th of May', '2026-05-30T00:00:00Z', { at: Date.parse('2026-05-30T00:00:00Z') }],
  ['the 31st of May', '2026-05-31T00:00:00Z', { at: Date.parse('2026-05-31T00:00:00Z') }],
  ['month 13', '2026-13-01T00:00:00Z', { code: 'time_invalid' }],
  ['hour 25', '2026-06-15T25:00:00Z', { code: 'time_invalid' }],
  ['no offset', '2026-06-15T12:00:00', { code: 'time_invalid' }],
  ['a date', '2026-06-15', { code: 'time_invalid' }],
  ['words', 'June 15, 2026 12:00 UTC', { code: 'time_invalid' }],
])('a time %s', (_, time, expected) => {
  expect(prepare({ at: time })).toMatchObject(expected)
})

test('properties are the same in whatever order they came', () => {
  const one = prepare({ properties: { b: 'x', a: 1 } })
  expect(one).toEqual(prepare({ properties: { a: 1, b: 'x' } }))
  expect(one).toMatchObject({ properties: '{"a":1,"b":"x"}' })
})

test.each(['reservation:', 'check:', 'import:'])('no report has a key that begins with %s', (prefix) => {
  const report = (idempotencyKey: string) =>
    prepareReport({ meter: 'calls', idempotencyKey }, rulesOf(whole), policy, now)
  expect(report(`${prefix}k`)).toMatchObject({ code: 'key_reserved' })
  expect(report(`my-${prefix}k`)).toMatchObject({ idempotencyKey: `my-${prefix}k` })
  expect(prepare({ idempotencyKey: `${prefix}k` })).toMatchObject({ idempotencyKey: `${prefix}k` })
})
