import { periodAt } from '../../core/period.ts'
import type { SubscriptionRecord } from './subscription.ts'

type Renewing = Pick<SubscriptionRecord, 'period' | 'anchor' | 'interval' | 'endedAt' | 'endsAt'>

/**
 * Whether a subscription renews at a time, so that the provider makes an invoice then: the beginning or end of its period
 * as we know it, or a boundary of its grid, and not its end.
 */
export const renewsAt = ({ period, anchor, interval, endedAt, endsAt }: Renewing, at: Temporal.Instant): boolean => {
  if ([endedAt, endsAt].some((end) => end !== null && Temporal.Instant.compare(end, at) <= 0)) return false
  return period.start.equals(at) || period.end.equals(at) || periodAt(anchor, interval, at).start.equals(at)
}
