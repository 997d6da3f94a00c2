export { invoiceDifferences, invoiceNews } from './change.ts'
export {
  findFailedInvoices,
  findInvoice,
  findInvoicesByProviderIds,
  findInvoicesOf,
  findInvoicesSince,
  type InvoiceRecord,
  pageInvoices,
  saveInvoice,
} from './store.ts'
