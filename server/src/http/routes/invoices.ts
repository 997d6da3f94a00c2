import { fail } from '../../core/errors.ts'
import { invoiceDetail, invoiceViews, methodView, paymentViews } from '../../flows/read-invoices.ts'
import { findCustomer } from '../../modules/customers/index.ts'
import { findInvoiceById, listInvoices, listPayments } from '../../modules/invoices/index.ts'
import { findPaymentMethods } from '../../modules/payments/index.ts'
import { decodeCursor, encodeCursor, type Handlers } from '../handler.ts'

type Place = { at: string; id: string }
const isPlace = (value: unknown): value is Place =>
  typeof value === 'object' &&
  value !== null &&
  'at' in value &&
  typeof value.at === 'string' &&
  /^\d{4}-[0-9T:.-]+Z$/.test(value.at) &&
  'id' in value &&
  typeof value.id === 'string' &&
  value.id.length <= 255

/** The cursor behind the last row of a full page of a list that is ordered by time and id. */
const after = <T>(rows: readonly T[], limit: number, place: (row: T) => Place): string | null =>
  rows.length === limit ? encodeCursor(place(rows.at(-1)!)) : null

export const invoiceHandlers: Handlers<'listInvoices' | 'getInvoice' | 'listPayments' | 'listPaymentMethods'> = {
  listInvoices: async ({ deps, tenantId, query }) => {
    const limit = query.limit ?? 50
    const rows = await listInvoices(deps.db, {
      tenantId,
      status: query.status ?? null,
      after: decodeCursor(query.cursor, isPlace),
      limit,
    })
    return {
      data: await invoiceViews(deps, rows),
      cursor: after(rows, limit, (row) => ({ at: row.createdAt.toString(), id: row.providerInvoiceId })),
    }
  },

  getInvoice: async ({ deps, params, own }) => {
    const invoice = await findInvoiceById(deps.db, params.invoiceId)
    await own(invoice?.tenantId)
    if (!invoice) throw fail('not_found')
    return invoiceDetail(deps, invoice)
  },

  listPayments: async ({ deps, tenantId, query }) => {
    const limit = query.limit ?? 50
    const rows = await listPayments(deps.db, {
      tenantId,
      providerInvoiceId: query.invoiceId ?? null,
      after: decodeCursor(query.cursor, isPlace),
      limit,
    })
    return {
      data: await paymentViews(deps, rows),
      cursor: after(rows, limit, (row) => ({ at: row.createdAt.toString(), id: row.providerPaymentId })),
    }
  },

  listPaymentMethods: async ({ deps, tenantId }) => {
    if (!(await findCustomer(deps.db, tenantId))) throw fail('not_found')
    const at = deps.clock.now()
    return (await findPaymentMethods(deps.db, tenantId))
      .filter((method) => method.attached)
      .map((method) => methodView(method, at))
  },
}
