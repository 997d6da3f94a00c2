import type { ChargeLine } from './usage-period.ts'

/** What a line is called on the provider's invoice: what it is for, how much of it, and why it comes now. */
export const wordsOf = ({ name, kind, quantity }: Pick<ChargeLine, 'name' | 'kind' | 'quantity'>): string => {
  if (kind === 'late_usage') return `${name}: ${quantity}, reported or corrected after its period was billed`
  return kind === 'usage' ? `${name}: ${quantity}` : name
}
