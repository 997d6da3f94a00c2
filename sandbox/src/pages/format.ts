const locale = 'en-US'

// The provider's own list of minor units; it differs from ISO 4217 in places (ISK and HUF have two digits on the wire).
const zeroDecimal = new Set('BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' '))
const threeDecimal = new Set('BHD JOD KWD OMR TND'.split(' '))

// An amount in minor units, exact at any size: digits move in the string and Intl formats the string.
export function money(minor: bigint | number | string, currency: string): string {
  return unitPrice(String(minor), currency)
}

// A unit price in minor units, which may be a fraction of one ("0.05" of a cent).
export function unitPrice(minorDecimal: string, currency: string): string {
  return print(minorDecimal, currency, 'symbol')
}

// With the currency's code instead of its sign, for files whose fonts lack many signs.
export function moneyWithCode(minor: bigint | number, currency: string): string {
  return print(String(minor), currency, 'code')
}

function print(minorDecimal: string, currency: string, currencyDisplay: 'symbol' | 'code'): string {
  const code = currency.toUpperCase()
  const digits = zeroDecimal.has(code) ? 0 : threeDecimal.has(code) ? 3 : 2
  const value = shiftPoint(minorDecimal, digits)
  const fraction = value.split('.')[1]?.replace(/0+$/, '') ?? ''
  const format = new Intl.NumberFormat(locale, {
    style: 'currency',
    currency: code,
    currencyDisplay,
    minimumFractionDigits: digits,
    maximumFractionDigits: Math.max(digits, Math.min(fraction.length, 100)),
  })
  return format.format(value as Intl.StringNumericLiteral)
}

function shiftPoint(decimal: string, digits: number): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(decimal)
  if (!match) throw new TypeError(`Not a decimal number: ${decimal}`)
  const [, sign, whole, fraction = ''] = match
  const all = whole!.padStart(digits + 1, '0')
  const tail = all.slice(all.length - digits || all.length) + fraction
  return `${sign}${all.slice(0, all.length - digits)}${tail === '' ? '' : `.${tail}`}`
}

type Interval = 'day' | 'week' | 'month' | 'year'

// "per month", "every 3 months"
export function every(interval: string, count: number): string {
  return count === 1 ? `per ${interval as Interval}` : `every ${count} ${interval}s`
}

// The time zone of all billing dates is UTC; the pages say so where a moment matters.
export function date(unixSeconds: number): string {
  const format = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' })
  return format.format(unixSeconds * 1000)
}

export function moment(unixSeconds: number): string {
  const format = new Intl.DateTimeFormat(locale, {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZone: 'UTC',
  })
  return `${format.format(unixSeconds * 1000)} UTC`
}

// Ends of periods are exclusive, so the last day that is included is shown.
export function period(start: number, end: number): string {
  const format = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' })
  return format.formatRange(start * 1000, Math.max(start, end - 1) * 1000)
}

export function count(amount: number | bigint): string {
  return new Intl.NumberFormat(locale).format(amount)
}
