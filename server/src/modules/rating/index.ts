export { chargesOfPlans, type PlanTerms } from './charge-plan.ts'
export { exactOfMicro } from './exact.ts'
export { neededUsage } from './need-usage.ts'
export { leastOf } from './plan-billing.ts'
export type { Credit } from './price.ts'

export { rate } from './rate.ts'
export { readRatingRequest } from './read-request.ts'
export { ratingView } from './view.ts'
