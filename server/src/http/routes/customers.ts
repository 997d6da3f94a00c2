import type { Customer } from '@turnpike/contract'
import { fail } from '../../core/errors.ts'
import { instantOrNull } from '../../core/period.ts'
import { createCustomer } from '../../flows/create-customer.ts'
import { readTimeline } from '../../flows/read-timeline.ts'
import { updateCustomer } from '../../flows/update-customer.ts'
import { type CustomerRecord, findCustomerById, listCustomers } from '../../modules/customers/index.ts'
import { findProviderCustomer } from '../../modules/payments/index.ts'
import { type Context, decodeCursor, encodeCursor, type Handlers, type HttpDeps } from '../handler.ts'

const customerView = async (deps: HttpDeps, customer: CustomerRecord): Promise<Customer> => ({
  id: customer.customerId,
  tenantId: customer.tenantId,
  name: customer.name,
  email: customer.email,
  currency: customer.currency,
  timeZone: customer.timeZone,
  providerCustomerId: await findProviderCustomer(deps.db, customer.tenantId, deps.provider.name),
  createdAt: customer.createdAt.toString(),
  updatedAt: customer.updatedAt.toString(),
})

export const owned = async ({
  deps,
  params,
  own,
}: Pick<Context<'getCustomer'>, 'deps' | 'params' | 'own'>): Promise<CustomerRecord> => {
  const customer = await findCustomerById(deps.db, params.customerId)
  if (!customer) throw fail('not_found')
  await own(customer.tenantId)
  return customer
}

type Place = { at: string; tenantId: string }
export const isPlace = (value: unknown): value is Place => {
  const { at, tenantId } = (value ?? {}) as Partial<Place>
  return isInstantText(at) && isName(tenantId)
}
const isEntry = (value: unknown): value is { at: string; id: string } => {
  const { at, id } = (value ?? {}) as { at?: unknown; id?: unknown }
  return isInstantText(at) && isName(id)
}
// Cursors come from outside, whoever made them up: only what we could have written goes to the database.
const isInstantText = (value: unknown): value is string =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]{8,18}Z$/.test(value) && instantOrNull(value) !== null
const isName = (value: unknown): value is string => typeof value === 'string' && /^[^\p{C}]{1,400}$/u.test(value)

export const customerHandlers: Handlers<
  'createCustomer' | 'listCustomers' | 'getCustomer' | 'updateCustomer' | 'getTimeline'
> = {
  createCustomer: async ({ deps, actor, tenantId, body }) =>
    customerView(deps, await createCustomer(deps, actor, tenantId, body)),

  listCustomers: async ({ deps, query }) => {
    const limit = query.limit ?? 50
    const customers = await listCustomers(deps.db, {
      search: query.search?.trim() || null,
      after: decodeCursor(query.cursor, isPlace),
      limit,
    })
    const last = customers.at(-1)
    return {
      data: await Promise.all(customers.map((customer) => customerView(deps, customer))),
      cursor:
        customers.length === limit && last
          ? encodeCursor({ at: last.createdAt.toString(), tenantId: last.tenantId })
          : null,
    }
  },

  getCustomer: async (context) => customerView(context.deps, await owned(context)),

  updateCustomer: async (context) => {
    const { tenantId } = await owned(context)
    return customerView(context.deps, await updateCustomer(context.deps, context.actor, tenantId, context.body))
  },

  getTimeline: async (context) => {
    const customer = await owned(context)
    const limit = context.query.limit ?? 50
    const entries = await readTimeline(context.deps, customer, decodeCursor(context.query.cursor, isEntry), limit)
    const last = entries.at(-1)
    return {
      data: entries,
      cursor: entries.length === limit && last ? encodeCursor({ at: last.at, id: last.id }) : null,
    }
  },
}
