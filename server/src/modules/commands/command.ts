import type { CommandRequest, SubscriptionCreate } from '@turnpike/contract'
import type { Order } from '../payments/index.ts'
import type { SubscriptionRecord } from '../subscriptions/index.ts'

type CommandAction = CommandRequest['action'] | 'create'
type CommandState = 'asking' | 'queued' | 'unknown' | 'done' | 'failed'

/** What was asked, without what only ties it to a preview. */
export type Wish =
  | ({ action: 'create' } & Omit<SubscriptionCreate, 'tenantId' | 'previewToken'>)
  | Omit<CommandRequest, 'previewToken'>

/** What a customer pays for. */
export type Terms = Pick<SubscriptionRecord, 'plan' | 'planVersion' | 'price' | 'currency' | 'seats' | 'addOns'>

/** What the rules make of a wish. Plain JSON. */
export type Decision = {
  order: Order
  timing: 'now' | 'period_end'
  effectiveAt: string
  /** Null when nothing is held afterwards. */
  after: Terms | null
}

/** One thing that was asked of a subscription. */
export type CommandRecord = {
  tenantId: string
  commandId: string
  subscriptionId: string | null
  action: CommandAction
  wish: Wish
  decision: Decision
  state: CommandState
  repeatKey: string | null
  actor: { kind: string; id: string }
  attempts: number
  requestedAt: Temporal.Instant
  askedAt: Temporal.Instant | null
  settledAt: Temporal.Instant | null
  resumesAt: Temporal.Instant | null
  failure: string | null
  invoiceUrl: string | null
}

/**
 * Whether it may be asked again later, by itself: what takes nothing from the customer that was not agreed to, however late
 * it is done. Commands that charge are never asked by themselves (SUB-3).
 */
export const isSafeLater = (order: Order): boolean => safe[order.kind]

const safe: Record<Order['kind'], boolean> = {
  create: false,
  change_now: false,
  change_at_period_end: false,
  cancel_now: false,
  cancel_at_period_end: true,
  keep: true,
  pause: true,
  resume: true,
  drop_change: true,
  end_trial: false,
}
