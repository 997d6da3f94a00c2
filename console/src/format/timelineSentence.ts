import type { TimelineEntry } from '@turnpike/contract'
import { formatQuantity, plural } from './quantity.ts'

/** One sentence about an entry of the timeline, from its kind and details; what is not known here is shown as it came. */
export function sentenceOf(entry: TimelineEntry): string {
  const { detail, title } = entry
  switch (entry.kind) {
    case 'webhook':
      return `${title} came in${text(detail.outcome) ? `: ${words(detail.outcome)}` : text(detail.state) ? `: ${words(detail.state)}` : ''}`
    case 'snapshot':
      return `Entitlements version ${detail.version ?? '?'}${text(detail.plan) ? ` for ${detail.plan}` : ''}, because of ${words(title)}`
    case 'decision':
      return decision(entry)
    case 'audit':
      return `${detail.result === 'denied' ? 'Denied: ' : ''}${title}${text(detail.reason) ? `, “${detail.reason}”` : ''}`
    case 'event':
      return event(title, record(detail.data))
    default:
      return title
  }
}

/** A refusal of usage or of checks, or a request without permission. */
export function isRefusal({ kind, detail }: TimelineEntry): boolean {
  return (kind === 'decision' && detail.allowed !== true) || detail.result === 'denied'
}

/** The feature that a decision was about. */
export function featureOf({ detail, object }: TimelineEntry): string | null {
  const feature = text(detail.feature) ?? object
  return feature && /^[a-z][a-z0-9_]{0,62}$/.test(feature) ? feature : null
}

function decision(entry: TimelineEntry): string {
  const { detail } = entry
  const feature = featureOf(entry)
  const reason = words(detail.code ?? detail.reason ?? '')
  if (!feature || !reason) return entry.title
  if (typeof detail.attempts === 'number') {
    return `${formatQuantity(detail.attempts)} ${plural(detail.attempts, 'check')} of ${feature} refused within the hour: ${reason}`
  }
  const used = typeof detail.used === 'number' && typeof detail.limit === 'number'
  const figures = used ? `, ${formatQuantity(Number(detail.used))} of ${formatQuantity(Number(detail.limit))} used` : ''
  return `Refused ${typeof detail.quantity === 'number' ? `${formatQuantity(detail.quantity)} of ` : ''}${feature}: ${reason}${figures}`
}

function event(type: string, data: Record<string, unknown>): string {
  const list = (label: string, value: unknown) =>
    Array.isArray(value) && value.length > 0 ? `, ${label} ${value.join(', ')}` : ''
  switch (type) {
    case 'entitlements.updated':
      return `Entitlements version ${data.version} announced${list('gained', data.gained)}${list('lost', data.lost)}${list('changed', data.changed)}`
    case 'subscription.updated':
      return `Subscription updated${list('changed', data.changed)}`
    case 'usage.updated':
      return Array.isArray(data.meters) ? `Usage counted: ${data.meters.map(counted).join(', ')}` : type
    case 'usage.threshold_reached':
      return `${data.percent}% of ${data.feature} used`
    case 'billing.updated':
      return `Billing is now ${words(data.status)} on ${data.plan}`
    default:
      return type
  }
}

const counted = (meter: unknown): string => `${record(meter).meter} ${formatQuantity(Number(record(meter).used))}`
const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
const words = (value: unknown): string => String(value).replaceAll('_', ' ')
const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
