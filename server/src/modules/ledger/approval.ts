import type { CatalogPolicies } from '@turnpike/contract'
import { own } from '../../core/own.ts'

type CreditPolicy = CatalogPolicies['credits']
type Wish = { currency: string; amountMinor: bigint; expiresAt: Temporal.Instant | null }

/** What policy has against a grant, by field; null when nothing (INV-4). */
export const creditBreach = (
  policy: CreditPolicy,
  wish: Wish,
  at: Temporal.Instant,
): { field: string; message: string } | null => {
  const most = own(policy?.maxAmounts, wish.currency)
  if (policy?.maxAmounts && (most === undefined || wish.amountMinor > BigInt(most)))
    return {
      field: 'amount',
      message:
        most === undefined
          ? `Policy lets nobody grant credit in ${wish.currency}.`
          : `Policy lets one grant be ${most} minor units of ${wish.currency} at most.`,
    }
  if (policy?.maxDays === undefined) return null
  if (wish.expiresAt === null) return { field: 'expiresAt', message: 'Policy asks for an end.' }
  const days = (wish.expiresAt.epochMilliseconds - at.epochMilliseconds) / 86_400_000
  return days > policy.maxDays
    ? { field: 'expiresAt', message: `Policy lets credit last ${policy.maxDays} days at most.` }
    : null
}

/** Whether policy wants a second person: above the amount of the currency; a currency without one needs none. */
export const creditNeedsSecondPerson = (
  policy: CreditPolicy,
  wish: Pick<Wish, 'currency' | 'amountMinor'>,
): boolean => {
  const above = own(policy?.secondPersonAbove, wish.currency)
  return above !== undefined && wish.amountMinor > BigInt(above)
}
