import { fail } from '../../core/errors.ts'

/**
 * Checks on what the provider answers, before anything is made of it: a wrong shape is refused with a record, never
 * applied and never guessed at. The words are for the log only.
 */
export const unusable = (what: string): Error => fail('provider_data_invalid', { cause: new Error(what) })

const isWhole = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

/** A count, an amount in minor units, or a time in seconds: whole, not negative, exactly a number. */
export const whole = (value: unknown, what: string): number => {
  if (!isWhole(value)) throw unusable(`${what} is not a whole number`)
  return value
}

/** An amount that may be a credit. */
export const signed = (value: unknown, what: string): number => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw unusable(`${what} is not a whole number`)
  return value
}

// The last second of the year 9999: later ones are not times.
const lastSecond = 253_402_300_799

export const instant = (value: unknown, what: string): Temporal.Instant => {
  if (whole(value, what) > lastSecond) throw unusable(`${what} is not a time`)
  return Temporal.Instant.fromEpochMilliseconds((value as number) * 1_000)
}

export const instantOrNull = (value: unknown, what: string): Temporal.Instant | null =>
  value === null || value === undefined ? null : instant(value, what)

export const name = (value: unknown, what: string): string => {
  if (typeof value !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(value)) throw unusable(`${what} is not a name`)
  return value
}

export const currency = (value: unknown, what: string): string => {
  if (typeof value !== 'string' || !/^[a-z]{3}$/i.test(value)) throw unusable(`${what} is not a currency`)
  return value.toUpperCase()
}

export const list = <T>(value: T[] | undefined | null, what: string): T[] => {
  if (!Array.isArray(value) || value.some((entry) => entry === null || typeof entry !== 'object'))
    throw unusable(`${what} is not a list`)
  return value
}

/** The id of something that is shown as its id or as the whole object. */
export const idOf = (reference: string | { id: string } | null | undefined): string | null =>
  typeof reference === 'string' ? reference : (reference?.id ?? null)

/** A quantity as text, in one form: without zeros that say nothing. */
export const decimal = (value: string, what: string): string => {
  if (!/^-?\d{1,30}(\.\d{1,12})?$/.test(value)) throw unusable(`${what} is not a decimal`)
  return value.includes('.') ? value.replace(/0+$/, '').replace(/\.$/, '') : value
}
