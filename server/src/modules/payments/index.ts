export { type CheckoutRecord, canStillBePaid, checkoutActions, isUnderWay, nextCheckoutState } from './checkout.ts'
export type * from './listing.ts'
export type * from './order.ts'
export type * from './provider.ts'
export {
  countDeletedProviderCustomers,
  findCheckoutById,
  findProviderCustomer,
  findStaleCheckouts,
  findTenantOfProviderCustomer,
  findUnfinishedCheckouts,
  insertCheckout,
  markProviderCustomerDeleted,
  pageProviderCustomers,
  readProviderSetting,
  saveCheckout,
  saveProviderCustomer,
  saveProviderSetting,
  tenantsOfProviderCustomers,
  tenantsWithOldCheckouts,
} from './store.ts'
