import type { CatalogPolicies, Role } from '@turnpike/contract'
import { own } from '../../core/own.ts'

type Policy = CatalogPolicies['refunds']

/** How much a role may give back at once, and above what a second person decides; null: no cap, never. */
export type Bounds = { max: bigint | null; secondPersonAbove: bigint | null }

/**
 * The bounds of policy for a role and a currency (INV-4). Where a bound names amounts, a currency that it does not name has
 * nothing: a cap is never wider than it was written.
 */
export const boundsOf = (policy: Policy, role: Role, currency: string): Bounds => {
  const ofRole = own(policy?.roles ?? {}, role)
  const amount = (amounts: Record<string, number> | undefined): bigint | null =>
    amounts === undefined ? null : BigInt(own(amounts, currency) ?? 0)
  return {
    max: amount(ofRole?.maxMinor ?? policy?.maxMinor),
    secondPersonAbove: amount(ofRole?.secondPersonAboveMinor ?? policy?.secondPersonAboveMinor),
  }
}
