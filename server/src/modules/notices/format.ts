import { assert } from '../../core/errors.ts'
import { instantOf } from '../../core/period.ts'
import type { FieldType, NoticeKindDefinition } from './kinds.ts'

export type Style = { locale: string; timeZone: string }

/** The values of a notice as people read them. Strict: a value that is missing or of another type is a defect. */
export const formatFields = (
  definition: Pick<NoticeKindDefinition, 'fields'>,
  data: Readonly<Record<string, unknown>>,
  style: Style,
): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(definition.fields).map(([name, field]) => {
      const value = data[name]
      if (field.endsWith('?') && value === null) return [name, null]
      return [name, formatted(name, field.replace('?', '') as FieldType, value, style)]
    }),
  )

const formatted = (name: string, type: FieldType, value: unknown, style: Style): unknown => {
  const wrong = `the field ${name} is no ${type}`
  switch (type) {
    case 'flag':
      assert(typeof value === 'boolean', wrong)
      return value
    case 'number':
      assert(typeof value === 'number', wrong)
      return numberText(value, style)
    case 'instant':
      assert(typeof value === 'string', wrong)
      return dateText(value, style)
    case 'money':
      assert(isMoney(value), wrong)
      return moneyText(value, style)
    case 'items':
      assert(Array.isArray(value), wrong)
      return value.map((item: Record<string, unknown>) => ({
        name: cleanText(String(item.name)),
        used: numberText(Number(item.used), style),
        limit: numberText(Number(item.limit), style),
        reduceBy: numberText(Number(item.reduceBy), style),
      }))
    case 'url':
      assert(typeof value === 'string' && /^https?:\/\//.test(value) && URL.canParse(value), wrong)
      return value
    case 'text':
      assert(typeof value === 'string', wrong)
      return cleanText(value)
  }
}

const isMoney = (value: unknown): value is { amountMinor: string; currency: string } =>
  typeof value === 'object' &&
  value !== null &&
  'amountMinor' in value &&
  'currency' in value &&
  /^-?\d{1,30}$/.test(String(value.amountMinor))

/** One line without characters that steer a reader: no line ends, no controls, no change of the writing direction. */
export const cleanText = (text: string): string =>
  text.replaceAll(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\s]+/gu, ' ').trim()

/** `4900` minor units as `$49.00`: as many decimals as the currency has, every digit kept. */
export const moneyText = (
  { amountMinor, currency }: { amountMinor: string; currency: string },
  { locale }: Pick<Style, 'locale'>,
): string => {
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency })
  const decimals = format.resolvedOptions().maximumFractionDigits ?? 2
  const digits = amountMinor.replace('-', '').padStart(decimals + 1, '0')
  const sign = amountMinor.startsWith('-') ? '-' : ''
  const whole = digits.slice(0, digits.length - decimals)
  const text = `${sign}${whole}${decimals === 0 ? '' : `.${digits.slice(-decimals)}`}`
  // Text keeps digits that a number would round away.
  return format.format(text as Intl.StringNumericLiteral)
}

/** `February 1, 2027 at 09:00 UTC`: never without its time zone. */
export const dateText = (instant: string, { locale, timeZone }: Style): string =>
  new Intl.DateTimeFormat(locale, {
    year: 'numeric',
    month: 'long',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone,
    timeZoneName: 'short',
  }).format(instantOf(instant).epochMilliseconds)

const numberText = (value: number, { locale }: Style): string =>
  new Intl.NumberFormat(locale, { maximumFractionDigits: 6 }).format(value)
