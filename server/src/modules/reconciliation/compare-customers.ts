import { changedMethods, type PaymentMethodFact } from '../payments/index.ts'
import type { Difference } from './finding.ts'

/** What we know of a customer of the provider that carries our mark, or that pays for prices of ours. */
export type Stranger = {
  providerCustomerId: string
  /** The tenant that our mark on it names. */
  markedFor: string | null
  /** Whether that tenant is known here, and the customer that it has here. */
  tenantKnown: boolean
  linkedTo: string | null
  paysForOurs: boolean
}

/** A customer of the provider that nobody here owns (REC-2). Other products may share the account: theirs are not ours. */
export const compareStranger = (stranger: Stranger): Difference[] => {
  const { providerCustomerId, markedFor, tenantKnown, linkedTo, paysForOurs } = stranger
  if (markedFor === null && !paysForOurs) return []
  // Left over from a tenant that moved on to another one: nothing is paid, nothing is missing.
  if (!paysForOurs && (linkedTo !== null || !tenantKnown)) return []
  return [
    {
      kind: 'provider_customer_unlinked',
      object: providerCustomerId,
      here: linkedTo === null ? null : { tenantId: markedFor, providerCustomerId: linkedTo },
      there: { markedFor, paysForOurs },
      // Only a mark of ours says whose it is, and a tenant has one.
      repair: tenantKnown && linkedTo === null ? 'link_customer' : 'by_hand',
    },
  ]
}

/** The customer that a tenant is linked to, against what the provider says of it. */
export const compareLink = (providerCustomerId: string, isThere: boolean): Difference[] =>
  isThere
    ? []
    : [
        {
          kind: 'customer_missing_at_provider',
          object: providerCustomerId,
          here: { linked: true },
          there: null,
          repair: 'unlink_customer',
        },
      ]

/** What a customer may be charged by, here against there (INV-2). */
export const compareMethods = (
  held: readonly PaymentMethodFact[],
  attached: readonly PaymentMethodFact[],
): Difference[] =>
  changedMethods(held, attached).map((method) => {
    const ours = held.find((each) => each.providerMethodId === method.providerMethodId) ?? null
    const theirs = attached.find((each) => each.providerMethodId === method.providerMethodId) ?? null
    return {
      kind: 'payment_method_differs',
      object: method.providerMethodId,
      here: ours && shown(ours),
      there: theirs && shown(theirs),
      repair: 'resync',
    }
  })

const shown = ({ brand, last4, expiryMonth, expiryYear, isDefault, attached }: PaymentMethodFact) => ({
  ...{ brand, last4, expiryMonth, expiryYear, isDefault, attached },
})
