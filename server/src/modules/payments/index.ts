export { changedMethods, isExpired } from './change-methods.ts'
export { type CheckoutRecord, canStillBePaid, checkoutActions, isUnderWay, nextCheckoutState } from './checkout.ts'
export type * from './listing.ts'
export type * from './money-back.ts'
export type * from './order.ts'
export type * from './placing-port.ts'
export type * from './provider.ts'
export type { PurchaseRecord } from './purchase.ts'
export {
  countDeletedProviderCustomers,
  defaultMethods,
  findCheckoutById,
  findPaymentMethods,
  findProviderCustomer,
  findPurchases,
  findStaleCheckouts,
  findTenantOfProviderCustomer,
  findUnfinishedCheckouts,
  insertCheckout,
  insertPurchase,
  listPurchases,
  markProviderCustomerDeleted,
  type PaymentMethodRecord,
  pageProviderCustomers,
  readProviderSetting,
  saveCheckout,
  savePaymentMethod,
  saveProviderCustomer,
  saveProviderSetting,
  tenantsOfProviderCustomers,
  tenantsWithOldCheckouts,
} from './store.ts'
