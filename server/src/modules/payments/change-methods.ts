import type { PaymentMethodFact } from './money-back.ts'

/**
 * What has to be written so that the methods held are those that there are. One that is not among the attached any more was
 * taken off; `others` are known by their name only, and were never the default.
 */
export const changedMethods = <H extends PaymentMethodFact>(
  held: readonly H[],
  attached: readonly PaymentMethodFact[],
  others: readonly PaymentMethodFact[] = [],
): PaymentMethodFact[] => {
  const seen = [...attached, ...others]
  const gone = held
    .filter((method) => method.attached && !seen.some((each) => each.providerMethodId === method.providerMethodId))
    .map((method) => ({ ...method, attached: false, isDefault: false }))
  return [...seen, ...gone].filter((method) => {
    const before = held.find((each) => each.providerMethodId === method.providerMethodId)
    return before === undefined || fields.some((field) => before[field] !== method[field])
  })
}

const fields = ['type', 'brand', 'last4', 'expiryMonth', 'expiryYear', 'isDefault', 'attached'] as const

/** A card can be used until the end of the month that is printed on it. */
export const isExpired = (
  { expiryMonth, expiryYear }: Pick<PaymentMethodFact, 'expiryMonth' | 'expiryYear'>,
  at: Temporal.Instant,
): boolean => {
  if (expiryMonth === null || expiryYear === null) return false
  const end = new Temporal.PlainYearMonth(expiryYear, expiryMonth).add({ months: 1 }).toPlainDate({ day: 1 })
  return Temporal.Instant.compare(at, end.toZonedDateTime('UTC').toInstant()) >= 0
}
