import { isBefore } from '../../core/period.ts'
import { definitionOf, type NoticeKind } from './kinds.ts'

type Shown = { kind: NoticeKind; topic: string; createdAt: Temporal.Instant; showUntil: Temporal.Instant }

/**
 * The messages of now, newest first: of each topic the newest that is still true. Takes the notices newest first. A notice
 * that clears a topic (the end of a subscription clears its open payment) takes away what was said of it before.
 */
export const currentNotices = <N extends Shown>(notices: readonly N[], at: Temporal.Instant): N[] => {
  const told = new Set<string>()
  return notices.filter((notice) => {
    const definition = definitionOf(notice.kind)
    const isNews = !told.has(notice.topic) && !told.has(definition.topic)
    told.add(notice.topic)
    for (const topic of definition.clears ?? []) told.add(topic)
    return isNews && isBefore(at, notice.showUntil) && definition.to !== 'operators' && definition.to !== 'address'
  })
}
