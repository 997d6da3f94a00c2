import { expect, test } from 'vitest'
import { calculatedQuantity, recordsOf, roundingSentence, stepLabel, stepPrice, stepQuantity } from './calculation.ts'

const period = { start: '2026-11-01T00:00:00Z', end: '2026-12-01T00:00:00Z' }
const step = {
  ...{ kind: 'units' as const, text: '', tier: null, quantity: '12000', unitAmount: '0.2' },
  ...{ share: null, roundedUnitAmount: null, amount: '2400', period },
}
const usd = (amountMinor: string) => ({ amountMinor, currency: 'USD' })
const line = { quantity: '12000', amount: usd('2400'), exactAmount: '2400', calculation: [step], records: null }

test('a step says what is multiplied, of which tier and for how much of the period', () => {
  expect(stepLabel(step)).toBe('Units')
  expect(stepLabel({ ...step, tier: 2, share: '0.5' })).toBe('Units, tier 2, for 50% of the period')
  expect([stepQuantity(step, [step], 'USD'), stepPrice(step, 'USD')]).toEqual(['12,000', '$0.002'])
  expect(stepPrice({ ...step, unitAmount: '0.6', roundedUnitAmount: '1' }, 'USD')).toBe('$0.01, rounded from $0.006')
})

test('a share of amounts is money times a percentage', () => {
  const share = { ...step, kind: 'percent' as const, quantity: '500000', unitAmount: '0.029' }
  expect([stepQuantity(share, [share], 'USD'), stepPrice(share, 'USD')]).toEqual(['$5,000.00', '2.9%'])
  expect(calculatedQuantity({ ...line, quantity: '500000', calculation: [share] })).toBe('$5,000.00')
  expect(calculatedQuantity(line)).toBe('12,000')
})

test('rounding is said where it does something, and records are counted where somebody counted them', () => {
  expect(roundingSentence(line)).toBeNull()
  expect(roundingSentence({ ...line, exactAmount: '1', calculation: [] })).toBeNull()
  expect(roundingSentence({ ...line, exactAmount: '2400.25' })).toBe('The steps come to $24.0025, rounded to $24.00.')
  const records = {
    meter: 'api_calls',
    name: 'API calls',
    from: period.start,
    to: period.end,
    aggregation: 'sum',
    path: '/',
  }
  expect(recordsOf({ ...records, records: 1 })).toBe('1 record of API calls')
  expect(recordsOf({ ...records, records: 1204 })).toBe('1,204 records of API calls')
  expect(recordsOf({ ...records, records: null })).toBe('The records of API calls')
})
