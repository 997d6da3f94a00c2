export { type BudgetRecord, thresholdsReached } from './budget.ts'
export {
  deleteBudget,
  findAlerts,
  findBudget,
  hasCapRefused,
  insertAlert,
  pageBudgets,
  saveBudget,
  tenantsWithBudget,
} from './store.ts'
