/**
 * How many decimals the minor unit of a currency has (ISO 4217), or null for what is no currency. Rating never converts: every amount
 * of one request is in one currency (convention 18).
 */
export const decimalsOf = (currency: string): number | null => {
  if (!known.has(currency)) return null
  return zeroDecimals.has(currency) ? 0 : threeDecimals.has(currency) ? 3 : 2
}

const known = new Set(Intl.supportedValuesOf('currency'))
const zeroDecimals = new Set('BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' '))
const threeDecimals = new Set('BHD IQD JOD KWD LYD OMR TND'.split(' '))
