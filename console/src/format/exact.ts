import { readerLocale } from './locale.ts'
import { minorDigits, minorToDecimal } from './money.ts'

/** How much of a fraction without an exact decimal is printed, behind a sign that says so. */
const places = 8

/** A quantity of a calculation, all of it: `12000` → `12,000`, `1/3` → `≈ 0.33333333`. */
export function formatExact(text: string, locale = readerLocale()): string {
  return print(text, 0, { maximumFractionDigits: 20 }, locale)
}

/** An amount of a calculation in minor units, which may be parts of one: `0.2` of USD → `$0.002`. */
export function formatExactMoney(minor: string, currency: string, locale = readerLocale()): string {
  const digits = minorDigits(currency)
  const style = { style: 'currency', currency, minimumFractionDigits: digits, maximumFractionDigits: 20 } as const
  return print(minor, digits, style, locale)
}

/** A share: `0.029` → `2.9%`. */
export function formatShare(text: string, locale = readerLocale()): string {
  return print(text, 0, { style: 'percent', maximumFractionDigits: 20 }, locale)
}

function print(text: string, shift: number, options: Intl.NumberFormatOptions, locale: string): string {
  const decimal = moveLeft(decimalOf(text), shift)
  const printed = new Intl.NumberFormat(locale, options).format(decimal as Intl.StringNumericLiteral)
  return text.includes('/') ? `≈ ${printed}` : printed
}

function decimalOf(text: string): string {
  const [n, d] = text.split('/')
  if (n === undefined || d === undefined) return text
  const scaled = (BigInt(n) * 10n ** BigInt(places + 1)) / BigInt(d)
  // Half away from zero, on the digit behind the last one that is printed.
  return minorToDecimal(String((scaled + (scaled < 0n ? -5n : 5n)) / 10n), places)
}

function moveLeft(decimal: string, digits: number): string {
  const [, sign = '', whole = '0', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(decimal) ?? []
  const padded = whole.padStart(digits + 1, '0')
  const cut = padded.length - digits
  const behind = padded.slice(cut) + fraction
  return `${sign}${padded.slice(0, cut)}${behind === '' ? '' : `.${behind}`}`
}
