import { fail } from '../../core/errors.ts'
import { invoiceDetail, invoiceViews, methodView, paymentViews } from '../../flows/read-invoices.ts'
import { findCustomer } from '../../modules/customers/index.ts'
import { findInvoiceById, listInvoices, listPayments } from '../../modules/invoices/index.ts'
import { findPaymentMethods } from '../../modules/payments/index.ts'
import type { Handlers } from '../handler.ts'
import { behind, placeInTime } from '../time-cursor.ts'

export const invoiceHandlers: Handlers<'listInvoices' | 'getInvoice' | 'listPayments' | 'listPaymentMethods'> = {
  listInvoices: async ({ deps, tenantId, query }) => {
    const limit = query.limit ?? 50
    const rows = await listInvoices(deps.db, {
      tenantId,
      status: query.status ?? null,
      after: placeInTime(query.cursor),
      limit,
    })
    return {
      data: await invoiceViews(deps, rows),
      cursor: behind(rows, limit, (row) => ({ at: row.createdAt.toString(), id: row.providerInvoiceId })),
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
      after: placeInTime(query.cursor),
      limit,
    })
    return {
      data: await paymentViews(deps, rows),
      cursor: behind(rows, limit, (row) => ({ at: row.createdAt.toString(), id: row.providerPaymentId })),
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
