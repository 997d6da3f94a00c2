import { expect, test } from 'vitest'
import { effectiveTimeOf } from './effective-time.ts'
import type { EffectiveTime } from './transition.ts'

const instant = (text: string) => Temporal.Instant.from(`2026-${text}:00Z`)
type Times = Parameters<typeof effectiveTimeOf>[2]
const times = (more: Partial<Times> = {}): Times => ({
  period: { start: instant('01-01T00:00'), end: instant('02-01T00:00') },
  trialEndsAt: null,
  endsAt: null,
  endedAt: null,
  startedAt: instant('01-01T00:00'),
  standing: { paymentMethodOnFile: true, paused: null, collectionPaused: null },
  ...more,
})
const next = { start: instant('02-01T00:00'), end: instant('03-01T00:00') }
const seen = '02-01T01:30'

test.each<[string, EffectiveTime, Times | null, Times, string, string]>([
  ['a beginning counts from the start', 'started_at', null, times(), seen, '01-01T00:00'],
  ['a renewal from the new period', 'period_start', times(), times({ period: next }), seen, '02-01T00:00'],
  ['a change within a period from when it was seen', 'period_start', times(), times(), seen, seen],
  [
    'a trial that ran out, from its end',
    'trial_end',
    times({ trialEndsAt: instant('01-15T00:00') }),
    times({ status: 'paused' } as object),
    seen,
    '01-15T00:00',
  ],
  [
    'a trial that was ended early, from the first paid period',
    'trial_end',
    times({ trialEndsAt: instant('02-20T00:00') }),
    times({ period: next }),
    seen,
    '02-01T00:00',
  ],
  ['an end, from that end', 'ended_at', times(), times({ endedAt: instant('01-20T05:00') }), seen, '01-20T05:00'],
  [
    'an end that lies ahead, from when it was seen',
    'ended_at',
    times(),
    times({ endedAt: instant('05-01T00:00') }),
    seen,
    seen,
  ],
  [
    'a pause, from its time',
    'paused_at',
    times(),
    times({
      standing: {
        paymentMethodOnFile: true,
        paused: { reason: null, since: '2026-01-31T08:00:00Z' },
        collectionPaused: null,
      },
    }),
    seen,
    '01-31T08:00',
  ],
  ['a pause of which nobody tells the time, from when it was seen', 'paused_at', times(), times(), seen, seen],
  ['a period that was used up, from its end', 'period_end', times(), times(), seen, '02-01T00:00'],
  ['everything else, from when it was seen', 'now', times(), times(), seen, seen],
])('%s (SUB-8)', (_, effective, before, after, at, expected) => {
  expect(effectiveTimeOf(effective, before, after, instant(at)).toString()).toBe(instant(expected).toString())
})
