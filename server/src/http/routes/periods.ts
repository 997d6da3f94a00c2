import { fail } from '../../core/errors.ts'
import { explainInvoice } from '../../flows/explain-invoice.ts'
import { readCloseProgress } from '../../flows/read-close-progress.ts'
import { readUpcomingInvoice, readUsageCost } from '../../flows/read-usage-cost.ts'
import { usagePeriodViews } from '../../flows/read-usage-periods.ts'
import { findInvoiceById } from '../../modules/invoices/index.ts'
import { findPeriods } from '../../modules/periods/index.ts'
import { decodeCursor, encodeCursor, type Handlers } from '../handler.ts'

type Place = { end: string; periodId: string }
const isPlace = (value: unknown): value is Place =>
  typeof value === 'object' &&
  value !== null &&
  'end' in value &&
  typeof value.end === 'string' &&
  /^\d{4}-[0-9T:.-]+Z$/.test(value.end) &&
  'periodId' in value &&
  typeof value.periodId === 'string' &&
  value.periodId.length <= 100

export const periodHandlers: Handlers<
  'listUsagePeriods' | 'getCloseProgress' | 'getUsageCost' | 'getUpcomingInvoice' | 'explainInvoice'
> = {
  listUsagePeriods: async ({ deps, tenantId, query }) => {
    const limit = query.limit ?? 50
    const periods = await findPeriods(deps.db, {
      tenantId,
      state: query.state ?? null,
      before: decodeCursor(query.cursor, isPlace),
      limit,
    })
    const last = periods.at(-1)
    return {
      data: await usagePeriodViews(deps, periods),
      cursor:
        periods.length === limit && last
          ? encodeCursor({ end: last.period.end.toString(), periodId: last.periodId } satisfies Place)
          : null,
    }
  },

  getCloseProgress: ({ deps }) => readCloseProgress(deps),

  getUsageCost: ({ deps, tenantId }) => readUsageCost(deps, tenantId),

  getUpcomingInvoice: ({ deps, tenantId }) => readUpcomingInvoice(deps, tenantId),

  explainInvoice: async ({ deps, params, own }) => {
    const invoice = await findInvoiceById(deps.db, params.invoiceId)
    await own(invoice?.tenantId)
    if (!invoice) throw fail('not_found')
    return explainInvoice(deps, invoice)
  },
}
