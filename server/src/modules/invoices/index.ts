export { invoiceNews } from './change.ts'
export { findFailedInvoices, findInvoice, type InvoiceRecord, saveInvoice } from './store.ts'
