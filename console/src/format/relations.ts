import type { PlanOffer } from '@turnpike/contract'
import { intervalName, monthsOf } from './interval.ts'

export type OfferPrice = PlanOffer['prices'][number]

/** What choosing a plan at an interval is called, and whether it can be chosen at all. */
export function planChoice(
  offer: Pick<PlanOffer, 'name' | 'relation' | 'trialDays' | 'model'>,
  price: OfferPrice | undefined,
  held: boolean,
): { label: string; chooses: 'plan' | 'cancel' | 'nothing'; primary: boolean } {
  const relation = price?.relation ?? offer.relation
  const nothing = (label: string) => ({ label, chooses: 'nothing' as const, primary: false })
  if (relation === 'current') return nothing('Current plan')
  if (relation === 'scheduled') return nothing('Scheduled')
  // A plan without a price is reached by ending the paid one.
  if (!price) {
    return offer.model === 'free' && held
      ? { label: `Cancel to move to ${offer.name}`, chooses: 'cancel', primary: false }
      : nothing('Not available')
  }
  if (relation === 'not_available') return nothing('Not available')
  const label = {
    start: offer.trialDays > 0 ? `Start ${offer.trialDays}-day trial` : `Choose ${offer.name}`,
    upgrade: `Upgrade to ${offer.name}`,
    downgrade: `Switch to ${offer.name}`,
    switch_interval: `Switch to ${intervalName(price.interval).toLowerCase()}`,
  }[relation]
  return { label, chooses: 'plan', primary: relation === 'start' || relation === 'upgrade' }
}

/** The intervals on offer, shortest first. */
export function intervalsOf(offers: PlanOffer[]): string[] {
  const found = new Set(offers.flatMap((offer) => offer.prices.map((price) => price.interval)))
  return [...found].sort((a, b) => (monthsOf(a) ?? 0) - (monthsOf(b) ?? 0))
}

/**
 * Whole percent saved by paying for `price` instead of the shortest interval of the same plan, rounded down: never more
 * than is true. Null where nothing is saved or the prices cannot be compared.
 */
export function savingPercent(prices: OfferPrice[], price: OfferPrice): number | null {
  const months = monthsOf(price.interval)
  const base = prices
    .filter((other) => other.amount.currency === price.amount.currency && monthsOf(other.interval) !== null)
    .sort((a, b) => (monthsOf(a.interval) ?? 0) - (monthsOf(b.interval) ?? 0))[0]
  if (!base || months === null) return null
  const baseMonths = monthsOf(base.interval) ?? 0
  if (baseMonths >= months) return null
  const fullMinor = BigInt(base.amount.amountMinor) * BigInt(months)
  const paidMinor = BigInt(price.amount.amountMinor) * BigInt(baseMonths)
  if (fullMinor <= paidMinor) return null
  const percent = Number(((fullMinor - paidMinor) * 100n) / fullMinor)
  return percent > 0 ? percent : null
}
