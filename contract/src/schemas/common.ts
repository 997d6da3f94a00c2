import { type TProperties, type TSchema, Type } from 'typebox'

/** An object that refuses fields that it does not name (API-3). */
export const strict = <P extends TProperties>(
  properties: P,
  options: { description?: string; minProperties?: number } = {},
) => Type.Object(properties, { additionalProperties: false, ...options })

export const Nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()])

/** The same schema with words of its own: what a field means instead of what its type is, and values that show its shape. */
export const described = <S extends TSchema>(schema: S, description: string, ...examples: unknown[]): S =>
  // TypeBox keeps its marks in properties that a spread would lose.
  Object.assign(Object.defineProperties({} as S, Object.getOwnPropertyDescriptors(schema)), {
    description,
    ...(examples.length > 0 ? { examples } : {}),
  })

const forms = new Map<string, string>()
/** A pattern whose form has words: what is refused for it is told the form, which nobody should have to read out of a pattern. */
export const formed = (pattern: string, words: string): string => {
  forms.set(pattern, words)
  return pattern
}
export const formOf = (pattern: string): string | null => forms.get(pattern) ?? null

/** Names in the catalog: plan, feature, meter, price. */
export const Key = Type.String({
  pattern: formed(
    '^[a-z][a-z0-9_]{0,62}$',
    'a name of small letters, digits and _ that begins with a letter, at most 63 in all',
  ),
  description: 'A name in the catalog.',
})
// Visible characters only: no control characters, so that NUL never reaches the database.
export const TenantId = Type.String({
  pattern: formed(
    '^[A-Za-z0-9][A-Za-z0-9._:@-]{0,99}$',
    'letters, digits and . _ : @ - that begin with a letter or digit, at most 100 in all',
  ),
  description: "The host product's own id of the account.",
})
export const Text = (maxLength: number, minLength = 1) =>
  Type.String({ minLength, maxLength, pattern: formed('^[^\\u0000-\\u001f\\u007f]*$', 'text of visible characters') })
export const Email = Type.String({ format: 'email', maxLength: 254 })
export const Instant = Type.String({ format: 'date-time', maxLength: 40, description: 'RFC 3339 instant with offset.' })
export const Currency = Type.String({
  pattern: formed('^[A-Z]{3}$', 'three capital letters of ISO 4217, such as USD'),
  description: 'ISO 4217 code.',
})
export const TimeZone = Type.String({
  pattern: formed('^[A-Za-z][A-Za-z0-9_+/-]{0,63}$', 'a name of the IANA list, such as Europe/Berlin'),
  description: 'A time zone of the IANA database, such as Europe/Berlin.',
})
export const Cursor = Type.String({ pattern: '^[A-Za-z0-9_-]{1,200}$', description: 'Opaque place in a list.' })
export const Id = (kind: string) =>
  Type.String({ pattern: `^${kind}_[0-9a-z]{26}$`, description: `Id of a ${kind.replaceAll('_', ' ')}.` })
export const AnyId = Type.String({ pattern: '^[A-Za-z0-9_.:@-]{1,120}$' })

/** Minor units of the currency as digits, so that no reader loses cents to floating point (RAT-2). */
export const Money = strict({
  amountMinor: Type.String({ pattern: '^-?[0-9]{1,30}$', description: 'Integer of minor units.' }),
  currency: Currency,
})

/** At most 15 significant digits and 6 decimals, so that a JSON number carries it exactly. */
export const Quantity = Type.Number({
  description: 'Quantity in units of the meter: at most 15 significant digits, 6 decimals.',
})

export const Period = strict(
  { start: Instant, end: Instant },
  { description: 'Half-open: the end belongs to the next period.' },
)

export const TenantQuery = strict({ tenantId: Type.Optional(TenantId) })

export const Page = {
  cursor: Type.Optional(Cursor),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
}
