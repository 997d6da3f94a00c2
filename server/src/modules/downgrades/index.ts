export { excess, findExcess, limitOf, meterOf } from './find-excess.ts'
export { followRemediation, type Remediation } from './follow-remediation.ts'
export { deadlineOf, type OverLimitPolicy, overLimitPolicy } from './policy.ts'
export { findOpenRemediations, listOpenRemediations, saveRemediation } from './store.ts'
