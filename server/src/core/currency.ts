/**
 * How many decimals the minor unit of a currency has (ISO 4217), or null for what is no currency. Rating never converts: every amount
 * of one request is in one currency (convention 18).
 */
export const decimalsOf = (currency: string): number | null => {
  if (!known.has(currency)) return null
  return zeroDecimals.has(currency) ? 0 : threeDecimals.has(currency) ? 3 : 2
}

/** `123` minor units as `1.23 USD`: for sentences, every digit kept. */
export const amountText = (amountMinor: bigint, currency: string): string => {
  const decimals = decimalsOf(currency) ?? 2
  const digits = String(amountMinor < 0n ? -amountMinor : amountMinor).padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const fraction = decimals === 0 ? '' : `.${digits.slice(-decimals)}`
  return `${amountMinor < 0n ? '-' : ''}${whole}${fraction} ${currency}`
}

const known = new Set(Intl.supportedValuesOf('currency'))
const zeroDecimals = new Set('BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' '))
const threeDecimals = new Set('BHD IQD JOD KWD LYD OMR TND'.split(' '))
