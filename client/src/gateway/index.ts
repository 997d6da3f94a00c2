export type { Replica, ReplicaOptions, ReplicaStatus } from './replica.ts'
export { openReplica } from './replica.ts'
