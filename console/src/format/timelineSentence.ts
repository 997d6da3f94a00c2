import type { TimelineEntry } from '@turnpike/contract'
import { auditSentence } from './auditSentence.ts'
import { eventSentence } from './eventSentence.ts'
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
      return auditSentence(title, detail)
    case 'event':
      return eventSentence(title, record(detail.data))
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

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
const words = (value: unknown): string => String(value).replaceAll('_', ' ')
const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
