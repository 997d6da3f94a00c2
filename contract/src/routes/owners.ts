import { Type } from 'typebox'
import { type RouteDefinition, route } from '../route.ts'
import { CustomerParams } from '../schemas/customer.ts'
import {
  Owner,
  OwnerParams,
  OwnerTransfer,
  OwnerTransferAnswer,
  OwnerTransferCreate,
  OwnerTransferParams,
} from '../schemas/owner.ts'

/** Billing owners and how ownership is handed over (CUS-3). */
export const ownersRoutes = {
  listOwners: route({
    method: 'GET',
    path: '/customers/{customerId}/owners',
    summary: 'List the billing owners of a customer',
    tag: 'Owners',
    permission: 'billing:owners:read',
    tenancy: 'object',
    kind: 'list',
    params: CustomerParams,
    response: Type.Array(Owner),
  }),

  removeOwner: route({
    method: 'DELETE',
    path: '/customers/{customerId}/owners/{personId}',
    summary: 'Let an owner leave; the last one cannot',
    tag: 'Owners',
    permission: 'billing:owners:write',
    tenancy: 'object',
    params: OwnerParams,
    response: Owner,
    problems: ['last_owner', 'not_billing_owner'],
  }),

  listOwnerTransfers: route({
    method: 'GET',
    path: '/customers/{customerId}/owner-transfers',
    summary: 'List transfers of ownership, newest first',
    tag: 'Owners',
    permission: 'billing:owners:read',
    tenancy: 'object',
    kind: 'list',
    params: CustomerParams,
    response: Type.Array(OwnerTransfer),
  }),

  requestOwnerTransfer: route({
    method: 'POST',
    path: '/customers/{customerId}/owner-transfers',
    summary: 'Ask somebody to become billing owner',
    description:
      'Nothing changes until the new owner confirms with the link that was sent to them. A customer without an owner gets its first one in the same way.',
    tag: 'Owners',
    permission: 'billing:owners:write',
    tenancy: 'object',
    params: CustomerParams,
    body: OwnerTransferCreate,
    status: 201,
    response: OwnerTransfer,
    problems: ['owner_transfer_open', 'not_billing_owner', 'owner_unknown'],
  }),

  confirmOwnerTransfer: route({
    method: 'POST',
    path: '/owner-transfers/{transferId}/confirm',
    summary: 'Become billing owner: by the new owner, with the token of the letter',
    tag: 'Owners',
    permission: 'billing:owners:confirm',
    tenancy: 'object',
    params: OwnerTransferParams,
    body: OwnerTransferAnswer,
    response: OwnerTransfer,
    problems: ['owner_link_invalid', 'owner_transfer_ended'],
  }),

  declineOwnerTransfer: route({
    method: 'POST',
    path: '/owner-transfers/{transferId}/decline',
    summary: 'Refuse to become billing owner: by the new owner, with the token of the letter',
    tag: 'Owners',
    permission: 'billing:owners:confirm',
    tenancy: 'object',
    params: OwnerTransferParams,
    body: OwnerTransferAnswer,
    response: OwnerTransfer,
    problems: ['owner_link_invalid', 'owner_transfer_ended'],
  }),

  cancelOwnerTransfer: route({
    method: 'POST',
    path: '/owner-transfers/{transferId}/cancel',
    summary: 'Take back a transfer that nobody has confirmed',
    tag: 'Owners',
    permission: 'billing:owners:write',
    tenancy: 'object',
    params: OwnerTransferParams,
    response: OwnerTransfer,
    problems: ['owner_transfer_ended', 'not_billing_owner'],
  }),
} as const satisfies Record<string, RouteDefinition>
