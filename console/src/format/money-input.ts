import { minorDigits } from './money.ts'

/**
 * What somebody typed as minor units, without floating point: comma or point, no more decimals than the currency has. Null
 * for what is no amount above nothing.
 */
export function parseAmount(text: string, currency: string): bigint | null {
  const digits = minorDigits(currency)
  const match = /^(\d{1,12})(?:[.,](\d{1,4}))?$/.exec(text.trim())
  if (!match) return null
  const [, whole = '', fraction = ''] = match
  if (fraction.length > digits) return null
  const minor = BigInt(`${whole}${fraction.padEnd(digits, '0')}`)
  return minor > 0n ? minor : null
}
