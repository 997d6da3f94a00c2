import { describe, expect, test } from 'vitest'
import { currentNotices } from './current.ts'
import { definitionOf, type NoticeKind } from './kinds.ts'

const now = Temporal.Instant.from('2027-01-10T00:00:00Z')
const notice = (kind: NoticeKind, topic = definitionOf(kind).topic, showDays = 30) => ({
  kind,
  topic,
  createdAt: now,
  showUntil: now.add({ hours: 24 * showDays }),
})
/** Oldest first, as a story. */
const shown = (...story: ReturnType<typeof notice>[]) =>
  currentNotices(story.toReversed(), now).map((each) => each.kind)

describe('the messages of now (DUN-2)', () => {
  test('of one topic only the newest', () => {
    expect(shown(notice('cancellation_scheduled'), notice('reactivated'))).toEqual(['reactivated'])
  })
  test('two topics are two messages', () => {
    expect(shown(notice('limit_warning', 'limit:a'), notice('limit_reached', 'limit:b'))).toEqual([
      'limit_reached',
      'limit_warning',
    ])
  })
  test('a payment that arrived takes the refusal away', () => {
    expect(shown(notice('payment_failed'), notice('grace_started'), notice('payment_recovered'))).toEqual([
      'payment_recovered',
    ])
  })
  test('a refusal after that is shown', () => {
    expect(shown(notice('payment_recovered'), notice('payment_failed'))).toEqual([
      'payment_failed',
      'payment_recovered',
    ])
  })
  test('the end clears what cannot be done any more', () => {
    expect(shown(notice('payment_failed'), notice('read_only'), notice('trial_ending'), notice('canceled'))).toEqual([
      'canceled',
    ])
  })
  test('an end, also one that is only planned, takes away what will not happen any more', () => {
    expect(shown(notice('paused'), notice('canceled'))).toEqual(['canceled'])
    expect(
      shown(notice('plan_change_scheduled'), notice('renewal_upcoming'), notice('cancellation_scheduled')),
    ).toEqual(['cancellation_scheduled'])
  })
  test('what is over is not shown, and brings nothing older back', () => {
    expect(shown(notice('limit_warning', 'limit:a'), notice('limit_reached', 'limit:a', 0))).toEqual([])
  })
  test('what was for others is not shown to the customer', () => {
    expect(shown(notice('override_requested'), notice('owner_transfer_request'))).toEqual([])
  })
})
