import type { CreditGrant, Credits, LedgerEntry, Purchase } from '@turnpike/contract'
import {
  type accountBalances,
  type EntryRow,
  type GrantBalance,
  hasEnded,
  refundableOf,
  stateOfGrant,
} from '../../modules/ledger/index.ts'
import type { PurchaseRecord } from '../../modules/payments/index.ts'

const money = (amountMinor: bigint, currency: string) => ({ amountMinor: String(amountMinor), currency })
const textOrNull = (at: Temporal.Instant | null): string | null => at?.toString() ?? null

export const creditView = (grant: GrantBalance, at: Temporal.Instant): CreditGrant => {
  const { currency } = grant
  const state = stateOfGrant(grant, at)
  // What has ended is not there any more, also in the moment before the ledger says so.
  const left = state === 'active' ? grant.leftMinor : 0n
  return {
    id: grant.grantId,
    tenantId: grant.tenantId,
    state,
    category: grant.category,
    amount: money(grant.amountMinor, currency),
    left: money(left, currency),
    paid: money(grant.paidMinor, currency),
    refundable: money(refundableOf({ ...grant, leftMinor: left }, at), currency),
    priority: grant.priority,
    charges: grant.charges,
    grantedAt: grant.grantedAt.toString(),
    expiresAt: textOrNull(grant.expiresAt),
    reason: grant.reason,
    grantedBy: grant.grantedBy,
    checkoutId: grant.checkoutId,
    requestExpiresAt: textOrNull(grant.requestExpiresAt),
    decidedBy: grant.decidedBy,
    decidedAt: textOrNull(grant.decidedAt),
    decisionReason: grant.decisionReason,
    voidedAt: textOrNull(grant.voidedAt),
  }
}

/** A customer's credit by currency, from the grants of which something is left and the accounts of where it went. */
export const creditsView = (
  tenantId: string,
  grants: readonly GrantBalance[],
  accounts: Awaited<ReturnType<typeof accountBalances>>,
  at: Temporal.Instant,
): Credits => ({
  tenantId,
  balances: [...new Set(accounts.map(({ currency }) => currency))].map((currency) => {
    const usable = grants.filter((grant) => grant.currency === currency && !hasEnded(grant, at))
    const sumOf = (some: readonly GrantBalance[]) =>
      money(
        some.reduce((sum, { leftMinor }) => sum + leftMinor, 0n),
        currency,
      )
    const of = (kind: (typeof accounts)[number]['kind']) =>
      money(
        accounts.find((account) => account.kind === kind && account.currency === currency)?.balanceMinor ?? 0n,
        currency,
      )
    const [next] = usable.flatMap(({ expiresAt }) => (expiresAt ? [expiresAt] : [])).sort(Temporal.Instant.compare)
    return {
      currency,
      available: sumOf(usable),
      paid: sumOf(usable.filter(({ category }) => category === 'paid')),
      promotional: sumOf(usable.filter(({ category }) => category === 'promotional')),
      nextExpiry: next
        ? { at: next.toString(), amount: sumOf(usable.filter(({ expiresAt }) => expiresAt?.equals(next))) }
        : null,
      burnt: of('revenue'),
      expired: of('breakage'),
      refunded: of('refunded'),
    }
  }),
  asOf: at.toString(),
})

export const entryView = (entry: EntryRow): LedgerEntry => ({
  number: String(entry.number),
  postingId: entry.postingId,
  kind: entry.kind,
  account: entry.accountKind,
  grantId: entry.accountKind === 'credit' ? entry.account : null,
  amount: money(entry.amountMinor, entry.currency),
  at: entry.at.toString(),
  recordedAt: entry.recordedAt.toString(),
  reference: entry.reference,
  reason: entry.reason,
  actor: entry.actor,
})

/** What refunds made of a purchase and of the credit that came with it; nothing before there are any. */
export type PurchaseBack = { refundedMinor: bigint; creditTakenMinor: bigint; creditKeptMinor: bigint }
const nothingBack: PurchaseBack = { refundedMinor: 0n, creditTakenMinor: 0n, creditKeptMinor: 0n }

export const purchaseView = (purchase: PurchaseRecord, back = nothingBack): Purchase => ({
  id: purchase.purchaseId,
  tenantId: purchase.tenantId,
  checkoutId: purchase.checkoutId,
  product: purchase.product,
  name: purchase.name,
  amount: money(purchase.amountMinor, purchase.currency),
  purchasedAt: purchase.purchasedAt.toString(),
  creditGrantId: purchase.creditGrantId,
  refunded: money(back.refundedMinor, purchase.currency),
  creditTaken: money(back.creditTakenMinor, purchase.currency),
  creditKept: money(back.creditKeptMinor, purchase.currency),
})
