export { invoiceDifferences, invoiceNews } from './change.ts'
export {
  findFailedInvoices,
  findInvoice,
  findInvoiceById,
  findInvoicesByProviderIds,
  findInvoicesOf,
  findInvoicesSince,
  type InvoiceRecord,
  listInvoices,
  listPayments,
  type PaymentRecord,
  pageInvoices,
  saveInvoice,
} from './store.ts'
