export { cancelAt } from './cancel-at.ts'
export { dueSince, followCase } from './follow-case.ts'
export { endsAfter, type Moment, momentsBetween, nextAccessChange, nextDue, stageAt } from './stage-at.ts'
export { type DunningCase, findCase, findDueCases, findOpenCases, saveCase } from './store.ts'
