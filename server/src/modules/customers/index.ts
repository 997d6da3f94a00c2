export {
  type CustomerRecord,
  findCustomer,
  findCustomerById,
  insertCustomer,
  listCustomers,
  lockCustomer,
  updateCustomer,
} from './store.ts'
