import { Type } from 'typebox'
import { type RouteDefinition, route } from '../route.ts'
import { Page, strict } from '../schemas/common.ts'
import { Customer, CustomerCreate, CustomerParams, CustomerUpdate, TimelineEntry } from '../schemas/customer.ts'

/** The billing record of a tenant. */
export const customersRoutes = {
  createCustomer: route({
    method: 'POST',
    path: '/customers',
    summary: 'Create the customer of a tenant',
    tag: 'Customers',
    permission: 'billing:customers:write',
    tenancy: 'tenant',
    body: CustomerCreate,
    status: 201,
    response: Customer,
    problems: ['customer_exists'],
  }),

  listCustomers: route({
    method: 'GET',
    path: '/customers',
    summary: 'List customers',
    tag: 'Customers',
    permission: 'billing:timeline:read',
    tenancy: 'house',
    kind: 'list',
    query: strict({ ...Page, search: Type.Optional(Type.String({ maxLength: 200, pattern: '^[^\\u0000]*$' })) }),
    response: Type.Array(Customer),
  }),

  getCustomer: route({
    method: 'GET',
    path: '/customers/{customerId}',
    summary: 'Read a customer',
    tag: 'Customers',
    permission: 'billing:customers:read',
    tenancy: 'object',
    params: CustomerParams,
    response: Customer,
  }),

  updateCustomer: route({
    method: 'PATCH',
    path: '/customers/{customerId}',
    summary: 'Change a customer',
    tag: 'Customers',
    permission: 'billing:customers:write',
    tenancy: 'object',
    params: CustomerParams,
    body: CustomerUpdate,
    response: Customer,
  }),

  getTimeline: route({
    method: 'GET',
    path: '/customers/{customerId}/timeline',
    summary: 'Everything that happened to a customer, newest first',
    tag: 'Customers',
    permission: 'billing:timeline:read',
    tenancy: 'object',
    kind: 'list',
    params: CustomerParams,
    query: strict({ ...Page }),
    response: Type.Array(TimelineEntry),
  }),
} as const satisfies Record<string, RouteDefinition>
