import type { CreditTarget } from '../payments/index.ts'

export type MoneyBackState =
  | 'waiting_for_approval'
  | 'rejected'
  | 'expired'
  | 'asking'
  | 'pending'
  | 'requires_action'
  | 'succeeded'
  | 'failed'
  | 'canceled'
  | 'issued'
  | 'void'

/** A refund or a credit note. */
export type MoneyBackRecord = {
  tenantId: string
  moneyBackId: string
  kind: 'refund' | 'credit_note'
  provider: string
  providerInvoiceId: string | null
  /** Null until it is known to be there. */
  providerId: string | null
  providerIntentId: string | null
  state: MoneyBackState
  amount: bigint
  currency: string
  beforePayment: bigint
  afterPayment: bigint
  /** How much of it its own refunds take; they are records themselves. */
  refunded: bigint
  target: CreditTarget | null
  lines: { providerLineId: string; amount: bigint }[]
  number: string | null
  pdfUrl: string | null
  /** False for what was made at the provider. */
  askedHere: boolean
  reason: string | null
  reasonText: string | null
  actor: { id: string; kind: string } | null
  requestedAt: Temporal.Instant
  requestExpiresAt: Temporal.Instant | null
  decidedBy: string | null
  decidedAt: Temporal.Instant | null
  decisionReason: string | null
  attempts: number
  askedAt: Temporal.Instant | null
  settledAt: Temporal.Instant | null
  failure: string | null
}

const counting: ReadonlySet<MoneyBackState> = new Set([
  'waiting_for_approval',
  'asking',
  'pending',
  'requires_action',
  'succeeded',
  'issued',
])

/** Whether it takes money away from us, or will. */
export const counts = ({ state }: Pick<MoneyBackRecord, 'state'>): boolean => counting.has(state)

/** Whether the provider has not been heard of it yet. */
export const isUnplaced = ({ state, providerId }: Pick<MoneyBackRecord, 'state' | 'providerId'>): boolean =>
  providerId === null && (state === 'waiting_for_approval' || state === 'asking')

/** Whether it came to nothing: the money stays where it is. */
export const isOver = ({ state }: Pick<MoneyBackRecord, 'state'>): boolean => !counting.has(state)
