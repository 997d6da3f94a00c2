/** A quantity in millionths of a unit: exact for 6 decimals, whatever a meter counts. */
export type Micro = bigint

const scale = 1_000_000n
const decimal = /^(-?)(\d{1,15})(?:\.(\d{1,6}))?$/
// Sums may be longer than any single quantity.
const long = /^(-?)(\d{16,32})(?:\.(\d{1,6}))?$/

/**
 * Millionths of a JSON number, or null when it has more than 15 significant digits or 6 decimals: beyond that a JSON
 * number no longer says what its sender meant.
 */
export const microOf = (quantity: number): Micro | null => {
  if (Number.isSafeInteger(quantity)) return Math.abs(quantity) < 1e15 ? BigInt(quantity) * scale : null
  const parts = decimal.exec(String(quantity))
  if (!parts || (parts[2]! + (parts[3] ?? '')).replace(/^0+/, '').length > 15) return null
  return microOfParts(parts)
}

/** Millionths of a decimal text as PostgreSQL prints it. */
export const microOfText = (text: string): Micro | null => {
  const parts = decimal.exec(text) ?? long.exec(text)
  return parts && microOfParts(parts)
}

const microOfParts = ([, sign, units, decimals = '']: RegExpExecArray): Micro => {
  const micro = BigInt(units!) * scale + BigInt(decimals.padEnd(6, '0'))
  return sign ? -micro : micro
}

/** Decimal text for the database: no float in between. */
export const textOfMicro = (micro: Micro): string => {
  const sign = micro < 0n ? '-' : ''
  const absolute = micro < 0n ? -micro : micro
  const fraction = absolute % scale
  return fraction === 0n
    ? `${sign}${absolute / scale}`
    : `${sign}${absolute / scale}.${String(fraction).padStart(6, '0')}`
}

/** The JSON number of an answer: exact up to 15 significant digits. */
export const numberOfMicro = (micro: Micro): number =>
  micro % scale === 0n ? Number(micro / scale) : Number(textOfMicro(micro))

export const isWhole = (micro: Micro): boolean => micro % scale === 0n
export const microOfWhole = (whole: number): Micro => BigInt(whole) * scale
