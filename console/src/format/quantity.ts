import { readerLocale } from './locale.ts'

/** Quantities of meters: at most six decimals, grouped digits. */
export function formatQuantity(quantity: number, locale = readerLocale()): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 6 }).format(quantity)
}

/** `10,000 calls`, `1 call`: the catalog names units in the singular. */
export function formatUnits(quantity: number, unit: string): string {
  return `${formatQuantity(quantity)} ${plural(quantity, unit)}`
}

export function plural(count: number, singular: string, several = `${singular}s`): string {
  return new Intl.PluralRules('en').select(count) === 'one' ? singular : several
}
