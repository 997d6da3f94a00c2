import { typeid } from 'typeid-js'

/** Ids carry their kind and sort by time: `customer_01j…`. */
export type IdKind = 'customer' | 'subscription' | 'checkout' | 'override' | 'event' | 'key' | 'request'

export const newId = (kind: IdKind): string => typeid(kind).toString()

export const isId = (kind: IdKind, text: string): boolean =>
  text.startsWith(`${kind}_`) && /^[0-9a-z]{26}$/.test(text.slice(kind.length + 1))
