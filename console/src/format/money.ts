import { readerLocale } from './locale.ts'

type Amount = { amountMinor: string; currency: string }

/**
 * Prints an amount exactly: minor units as text → BigInt → decimal text → Intl, which formats decimal text without
 * floating point. `explicit` adds the currency code, for totals and buttons.
 */
export function formatMoney(amount: Amount, options: { explicit?: boolean; locale?: string } = {}): string {
  const digits = minorDigits(amount.currency)
  const decimal = minorToDecimal(amount.amountMinor, digits)
  const printed = new Intl.NumberFormat(options.locale ?? readerLocale(), {
    style: 'currency',
    currency: amount.currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(decimal as Intl.StringNumericLiteral)
  return options.explicit && !printed.includes(amount.currency) ? `${printed} ${amount.currency}` : printed
}

/** `-4187`, 2 → `-41.87`. */
export function minorToDecimal(amountMinor: string, digits: number): string {
  const minor = BigInt(amountMinor)
  const sign = minor < 0n ? '-' : ''
  const text = (minor < 0n ? -minor : minor).toString().padStart(digits + 1, '0')
  return digits === 0 ? `${sign}${text}` : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`
}

/** `41.87` or `1,041.87` → `4187`; null for what is no amount of the currency. Nothing is rounded. */
export function parseMoney(text: string, currency: string): string | null {
  const digits = minorDigits(currency)
  const parts = /^(\d{1,12})(?:\.(\d{1,4}))?$/.exec(text.trim().replaceAll(/[,\s']/g, ''))
  const fraction = parts?.[2] ?? ''
  if (!parts || fraction.length > digits) return null
  return BigInt(`${parts[1]}${fraction.padEnd(digits, '0')}`).toString()
}

// The exponents of ISO 4217. Not `resolvedOptions()`: browsers follow everyday use there and say 0 for HUF, IDR or RSD,
// whose minor unit is a hundredth, which would print a hundred times the amount.
const withoutMinorUnit = new Set('BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' '))
const withThousandths = new Set('BHD IQD JOD KWD LYD OMR TND'.split(' '))

export function minorDigits(currency: string): number {
  if (withoutMinorUnit.has(currency)) return 0
  if (withThousandths.has(currency)) return 3
  return currency === 'CLF' || currency === 'UYW' ? 4 : 2
}
