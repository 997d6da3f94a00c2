import type Stripe from 'stripe'
import { need } from '../objects/common.ts'
import { createTaxId, deleteTaxId, needTaxId } from '../objects/taxId.ts'
import type { Customer, TaxId } from '../objects/types.ts'
import { listOf, type Tx } from '../store/transact.ts'
import type { Endpoints } from '../wire/endpoints.ts'
import { page, pageOf } from '../wire/list.ts'

export const taxIdRoutes: Endpoints = {
  'POST /v1/customers/{id}/tax_ids': (tx: Tx, params: Stripe.CustomerCreateTaxIdParams, id: string) =>
    createTaxId(tx, params, id),
  'GET /v1/customers/{id}/tax_ids': (tx: Tx, params: Stripe.CustomerListTaxIdsParams, id: string) =>
    pageOf(
      tx,
      `/v1/customers/${id}/tax_ids`,
      listOf<TaxId>(tx, 'tax_id', { customer: need<Customer>(tx, 'customer', id).id }),
      params,
    ),
  'GET /v1/customers/{customerId}/tax_ids/{id}': (tx: Tx, _params: unknown, customer: string, id: string) =>
    needTaxId(tx, id, customer),
  'DELETE /v1/customers/{customerId}/tax_ids/{id}': (tx: Tx, _params: unknown, customer: string, id: string) =>
    deleteTaxId(tx, id, customer),
  'POST /v1/tax_ids': (tx: Tx, params: Stripe.TaxIdCreateParams) =>
    createTaxId(tx, params, params.owner?.customer ?? null),
  'GET /v1/tax_ids': (tx: Tx, params: Stripe.TaxIdListParams) =>
    page<TaxId>(tx, '/v1/tax_ids', 'tax_id', params, (taxId) => taxId.customer === (params.owner?.customer ?? null)),
  'GET /v1/tax_ids/{id}': (tx: Tx, _params: unknown, id: string) => needTaxId(tx, id),
  'DELETE /v1/tax_ids/{id}': (tx: Tx, _params: unknown, id: string) => deleteTaxId(tx, id),
}
