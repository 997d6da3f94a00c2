import type { TimelineEntry } from '@turnpike/contract'

/** What one operation caused: entries with the same correlation id, newest first, or one entry that has none. */
export type Chain = { id: string; entries: TimelineEntry[]; at: string; latencyMs: number }

/** Groups a timeline (newest first) into chains; a chain stands where its newest entry stood. */
export function groupChains(entries: TimelineEntry[]): Chain[] {
  const groups = new Map<string, TimelineEntry[]>()
  for (const entry of entries) {
    const key = entry.correlationId ?? entry.id
    const group = groups.get(key)
    if (group) group.push(entry)
    else groups.set(key, [entry])
  }
  return [...groups].map(([id, group]) => {
    const times = group.map((entry) => Date.parse(entry.at))
    return { id, entries: group, at: group[0]?.at ?? '', latencyMs: Math.max(...times) - Math.min(...times) }
  })
}

/** The entry that began a chain: what came in from outside. */
export function beginningOf(chain: Chain): TimelineEntry {
  const oldestFirst = chain.entries.toReversed()
  return oldestFirst.find((entry) => entry.kind === 'webhook') ?? oldestFirst[0]!
}

export const timelineKinds = ['webhook', 'event', 'snapshot', 'decision', 'audit'] as const
export type TimelineKind = (typeof timelineKinds)[number]

export const kindWords: Record<TimelineKind, string> = {
  webhook: 'Webhook',
  event: 'Event',
  snapshot: 'Entitlements',
  decision: 'Decision',
  audit: 'Audit',
}

/** `340 ms`, `2.4 s`, `3 min`. */
export function formatLatency(milliseconds: number): string {
  if (milliseconds < 1_000) return `${milliseconds} ms`
  if (milliseconds < 90_000) return `${(milliseconds / 1_000).toFixed(1)} s`
  return `${Math.round(milliseconds / 60_000)} min`
}
