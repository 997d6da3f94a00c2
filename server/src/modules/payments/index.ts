export { type CheckoutRecord, canStillBePaid, checkoutActions, isUnderWay, nextCheckoutState } from './checkout.ts'
export type * from './provider.ts'
export {
  findCheckoutById,
  findProviderCustomer,
  findStaleCheckouts,
  findTenantOfProviderCustomer,
  findUnfinishedCheckouts,
  insertCheckout,
  readProviderSetting,
  saveCheckout,
  saveProviderCustomer,
  saveProviderSetting,
} from './store.ts'
