import type { Entitlement } from '@turnpike/contract'
import { formatQuantity, formatUnits, plural } from './quantity.ts'

/** What one entitlement gives, in words; null where it gives nothing. */
export function entitlementSentence(entitlement: Entitlement): string | null {
  if (entitlement.kind === 'boolean') return entitlement.value ? 'included' : null
  if (entitlement.kind === 'value') return formatValue(entitlement.value)
  const { limit, included, unit } = entitlement
  if (limit === 0) return null
  if (limit === null) {
    return included === null ? `unlimited ${plural(2, unit)}` : `no limit, ${formatUnits(included, unit)} included`
  }
  const above = included !== null && included < limit ? `, ${formatQuantity(included)} of them included` : ''
  return `${formatUnits(limit, unit)} per period${above}${entitlement.enforcement === 'soft' ? ', warns only' : ''}`
}

export function formatValue(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'number') return formatQuantity(value)
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(String).join(', ')
  return String(value)
}
