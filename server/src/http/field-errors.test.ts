import { RatingPreviewRequest } from '@turnpike/contract'
import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { fieldErrors } from './field-errors.ts'
import { compileSchema } from './validate.ts'

const period = { start: '2026-04-01T00:00:00Z', end: '2026-05-01T00:00:00Z' }
const fits = compileSchema(RatingPreviewRequest)
const told = (body: unknown): string[] => {
  expect(fits(body)).toBe(false)
  return fieldErrors(fits.errors ?? [], 'body').map(({ field, message }) => `${field} ${message}`)
}
const priced = (price: object) => ({ currency: 'USD', period, charges: [{ key: 'calls', price }] })
const tier = (upTo: unknown) => priced({ model: 'volume', tiers: [{ upTo, unitAmount: 1 }] })
const decimal =
  'must be a decimal such as 1200 or 0.035 of at most 18 digits before and after the point, without a currency sign, separators or an exponent'

/** One mistake is told once, and says what is asked for instead of what the validator tried. */
test.each<[string, unknown, string]>([
  [
    'a currency in small letters',
    { currency: 'usd', period },
    'currency must be three capital letters of ISO 4217, such as USD',
  ],
  ['an amount with its sign', priced({ model: 'flat', unitAmount: '$5.00' }), `charges.0.price.unitAmount ${decimal}`],
  [
    'a truth for an amount',
    priced({ model: 'flat', unitAmount: true }),
    'charges.0.price.unitAmount must be text or a number',
  ],
  ['a bound that is a word', tier('inf'), `charges.0.price.tiers.0.upTo ${decimal}; or null for none`],
  ['a bound that is a list', tier([]), 'charges.0.price.tiers.0.upTo must be text or a number; or null for none'],
  [
    'a bound of too many digits',
    tier('9'.repeat(39)),
    'charges.0.price.tiers.0.upTo must NOT have more than 38 characters',
  ],
  [
    'a date without a time',
    { currency: 'USD', period: { ...period, start: '2026-04-01' } },
    'period.start must be an instant of RFC 3339 with an offset, such as 2026-04-01T00:00:00Z',
  ],
  [
    'such a date where null may stand',
    { currency: 'USD', period, credits: [{ key: 'a', amount: 1, expiresAt: '2026-04-01' }] },
    'credits.0.expiresAt must be an instant of RFC 3339 with an offset, such as 2026-04-01T00:00:00Z; or null for none',
  ],
  [
    'a key with a space',
    { currency: 'USD', period, charges: [{ key: 'API calls', price: { model: 'flat', unitAmount: 1 } }] },
    'charges.0.key must be a name of small letters, digits and _ that begins with a letter, at most 63 in all',
  ],
  ['a field that is not there', { currency: 'USD', period, chargs: [] }, 'chargs is not a known field'],
  ['a field that is missing', { period }, 'currency is missing'],
  ['a list that is none', { currency: 'USD', period, charges: {} }, 'charges must be a list'],
])('%s', (_, body, sentence) => expect(told(body)).toEqual([sentence]))

test('a mistake inside of what may be null is told by its own field', () => {
  const fitsOwner = compileSchema(
    Type.Object({ owner: Type.Union([Type.Object({ name: Type.String() }), Type.Null()]) }),
  )
  const errorsOf = (body: unknown) => (fitsOwner(body) ? [] : fieldErrors(fitsOwner.errors ?? [], 'body'))
  expect(errorsOf({ owner: { name: 1 } })).toEqual([{ field: 'owner.name', message: 'must be text' }])
  expect(errorsOf({ owner: {} })).toEqual([{ field: 'owner.name', message: 'is missing' }])
  expect(errorsOf({ owner: 1 })).toEqual([{ field: 'owner', message: 'must be an object; or null for none' }])
  expect(errorsOf({ owner: null })).toEqual([])
})

test('where several forms are allowed, each says why it is not the one', () => {
  const fitsEither = compileSchema(Type.Object({ either: Type.Union([Type.Number(), Type.Boolean()]) }))
  expect(fitsEither({ either: 'x' })).toBe(false)
  expect(fieldErrors(fitsEither.errors ?? [], 'body').map(({ message }) => message)).toEqual([
    'must be a number',
    'must be true or false',
    'has none of the forms that are allowed here',
  ])
})
