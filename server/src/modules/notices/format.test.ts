import { describe, expect, test } from 'vitest'
import { cleanText, dateText, formatFields, moneyText } from './format.ts'

const us = { locale: 'en-US', timeZone: 'UTC' }

describe('money as people read it (DUN-2)', () => {
  test.each([
    ['two decimals', '4900', 'USD', 'en-US', '$49.00'],
    ['less than one unit', '5', 'USD', 'en-US', '$0.05'],
    ['nothing', '0', 'EUR', 'en-US', '€0.00'],
    ['no decimals', '4900', 'JPY', 'en-US', '¥4,900'],
    ['three decimals', '4900', 'KWD', 'en-US', 'KWD\u00a04.900'],
    ['another language', '123456', 'EUR', 'de-DE', '1.234,56\u00a0€'],
    ['a credit', '-4905', 'USD', 'en-US', '-$49.05'],
    ['a small credit', '-5', 'USD', 'en-US', '-$0.05'],
    ['more digits than a number holds', '12345678901234567891', 'USD', 'en-US', '$123,456,789,012,345,678.91'],
  ])('%s', (_, amountMinor, currency, locale, text) => {
    expect(moneyText({ amountMinor, currency }, { locale })).toBe(text)
  })
})

describe('dates as people read them (DUN-2)', () => {
  test.each([
    ['in UTC', us, 'February 1, 2027 at 09:00 UTC'],
    ['in a zone where it is another day', { ...us, timeZone: 'Pacific/Auckland' }, 'February 1, 2027 at 22:00 GMT+13'],
    ['in another language', { locale: 'de-DE', timeZone: 'Europe/Berlin' }, '1. Februar 2027 um 10:00 MEZ'],
  ])('%s', (_, style, text) => {
    expect(dateText('2027-02-01T09:00:00Z', style)).toBe(text)
  })
})

test('text is one line that steers nobody', () => {
  expect(cleanText('Ana\r\nBcc: all@example.com\u0000\u202e txt.exe')).toBe('Ana Bcc: all@example.com txt.exe')
})

describe('a value that does not fit is a defect, not a word in a mail', () => {
  test.each([
    ['missing', 'text', undefined],
    ['null where it may not be', 'instant', null],
    ['no date', 'instant', 'soon'],
    ['an amount with a point', 'money', { amountMinor: '49.00', currency: 'USD' }],
    ['a script for a link', 'url', 'javascript:alert(1)'],
    ['no address', 'url', 'https://'],
    ['a word for a number', 'number', '5'],
  ] as const)('%s', (_, type, value) => {
    expect(() => formatFields({ fields: { field: type } }, { field: value }, us)).toThrow()
  })
})
