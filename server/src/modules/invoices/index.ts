export { invoiceDifferences, invoiceNews } from './change.ts'
export {
  findFailedInvoices,
  findInvoice,
  findInvoicesByProviderIds,
  findInvoicesSince,
  type InvoiceRecord,
  saveInvoice,
} from './store.ts'
