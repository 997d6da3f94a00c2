import { accessLevels } from '@turnpike/contract'
import type { SnapshotDifference } from './compare.ts'
import type { SnapshotContent } from './resolve.ts'
import type { StoredSnapshot } from './store.ts'

/**
 * From when a new snapshot counts (SUB-8). What takes away or only goes on, such as an end or a renewal, counts from the
 * time at which it happened. What gives counts from now on: nobody had it before it was validated (SUB-2). Never before the
 * snapshot that it follows, so that history reads in one direction.
 */
export const effectiveFromOf = (
  before: Pick<StoredSnapshot, 'effectiveFrom' | 'content'> | null,
  after: SnapshotContent,
  difference: SnapshotDifference,
  happenedAt: Temporal.Instant,
  now: Temporal.Instant,
): Temporal.Instant => {
  if (!before) return now
  // What is neither more nor less, such as a word, counts as given, unless it comes of a plan that is gone.
  const gone = after.subscriptionId === null || after.withheld
  const gives =
    difference.gained.length > 0 ||
    (difference.changed.length > 0 && !gone) ||
    accessLevels.indexOf(after.accessLevel) < accessLevels.indexOf(before.content.accessLevel)
  const from = gives || Temporal.Instant.compare(happenedAt, now) > 0 ? now : happenedAt
  return Temporal.Instant.compare(from, before.effectiveFrom) < 0 ? before.effectiveFrom : from
}
