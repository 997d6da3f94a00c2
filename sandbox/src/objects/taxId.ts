import { emit } from '../events/emit.ts'
import { newId } from '../store/ids.ts'
import { remove, save, type Tx } from '../store/transact.ts'
import { need } from './common.ts'
import type { Customer, TaxId } from './types.ts'

/** Without a customer it is the account's own. Checking it takes Stripe a while, and here for ever. */
export function createTaxId(tx: Tx, params: { type: string; value: string }, customer: string | null): TaxId {
  if (customer) need<Customer>(tx, 'customer', customer, 'customer')
  const taxId: TaxId = {
    id: newId('txi'),
    object: 'tax_id',
    country: /^eu_/.test(params.type) ? params.value.slice(0, 2) : params.type.slice(0, 2).toUpperCase(),
    created: tx.now,
    customer,
    customer_account: null,
    livemode: false,
    owner: customer ? { customer, customer_account: null, type: 'customer' } : { type: 'self' },
    type: params.type,
    value: params.value,
    verification: customer ? { status: 'pending', verified_address: null, verified_name: null } : null,
  }
  save(tx, taxId)
  if (customer) emit(tx, 'customer.tax_id.created', taxId)
  return taxId
}

export function deleteTaxId(tx: Tx, id: string, customer?: string) {
  const taxId = needTaxId(tx, id, customer)
  remove(tx, id)
  if (taxId.customer) emit(tx, 'customer.tax_id.deleted', taxId)
  return { id, object: 'tax_id', deleted: true }
}

/** One that belongs to somebody else is as if there were none. */
export function needTaxId(tx: Tx, id: string, customer?: string): TaxId {
  const taxId = need<TaxId>(tx, 'tax_id', id)
  if (customer !== undefined && taxId.customer !== customer) return need<TaxId>(tx, 'tax_id', undefined)
  return taxId
}
