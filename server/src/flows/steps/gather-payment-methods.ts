import { findPaymentMethods, type InvoiceFact, type PaymentMethodFact } from '../../modules/payments/index.ts'
import type { Deps } from '../deps.ts'

/**
 * The payment methods of a customer, when they are wanted or when something was paid by one that is not known yet: one that
 * is not attached any more is asked for by its name. Null when there is no reason to look.
 */
export const gatherPaymentMethods = async (
  { db, provider }: Deps,
  tenantId: string,
  providerCustomerId: string,
  wanted: boolean,
  invoices: readonly InvoiceFact[],
): Promise<{ attached: PaymentMethodFact[]; others: PaymentMethodFact[] } | null> => {
  const used = new Set(
    invoices.flatMap(({ payments }) => payments.flatMap((payment) => payment.providerMethodId ?? [])),
  )
  if (!wanted && used.size === 0) return null
  const known = new Set((await findPaymentMethods(db, tenantId)).map((method) => method.providerMethodId))
  if (!wanted && used.isSubsetOf(known)) return null
  const attached = await provider.fetchPaymentMethods(providerCustomerId)
  const listed = new Set(attached.map((method) => method.providerMethodId))
  const others: PaymentMethodFact[] = []
  for (const id of used.difference(known).difference(listed)) {
    const method = await provider.fetchPaymentMethod(id)
    if (method) others.push({ ...method, attached: false, isDefault: false })
  }
  return { attached, others }
}
