export {
  type CustomerRecord,
  findCustomer,
  findCustomerById,
  insertCustomer,
  listCustomers,
  lockCustomer,
  markResolved,
  tenantsResolvedBefore,
  updateCustomer,
} from './store.ts'
