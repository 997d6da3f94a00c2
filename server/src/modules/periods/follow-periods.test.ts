import { expect, test } from 'vitest'
import { instantOf, type Period } from '../../core/period.ts'
import { followPeriods } from './follow-periods.ts'

const day = (text: string): Temporal.Instant => instantOf(`2026-${text}T00:00:00Z`)
const span = (start: string, end: string): Period => ({ start: day(start), end: day(end) })
const open = (subscriptionId: string, start: string, end: string) => ({
  periodId: `${subscriptionId} ${start}`,
  subscriptionId,
  period: span(start, end),
  regular: span(start, end),
  byRecords: false,
})
type Open = ReturnType<typeof open>
const text = ({ start, end }: Period) => `${start.toString().slice(5, 10)}/${end.toString().slice(5, 10)}`

type Case = {
  open?: Open[]
  ratedUntil?: string
  window: { of: string; span: Period } | null
  ends?: Record<string, string>
  expected: string[]
}
const february = { of: 's1', span: span('02-01', '03-01') }

test.each<[string, Case]>([
  ['a first window opens a period', { window: february, expected: ['open s1 02-01/03-01'] }],
  ['the same window again changes nothing', { open: [open('s1', '02-01', '03-01')], window: february, expected: [] }],
  ['nobody who pays has no period', { window: null, expected: [] }],
  [
    'the next window opens beside the one that is over and not rated yet',
    { open: [open('s1', '01-01', '02-01')], window: february, expected: ['open s1 02-01/03-01'] },
  ],
  [
    'a window that is rated already is past, whatever was opened after it',
    { open: [open('s1', '03-01', '04-01')], ratedUntil: '03-01', window: february, expected: [] },
  ],
  [
    'a window that begins inside a period cuts it short, and both are measured by their records',
    {
      open: [open('s1', '01-15', '02-15')],
      window: february,
      expected: ['move s1 01-15/02-01 by records', 'open s1 02-01/03-01 by records'],
    },
  ],
  [
    'a window that ends elsewhere moves the end',
    { open: [open('s1', '02-01', '02-20')], window: february, expected: ['move s1 02-01/03-01'] },
  ],
  [
    'a period that was opened ahead of a window that came out otherwise goes',
    { open: [open('s1', '02-10', '03-10')], window: february, expected: ['remove s1 02-10', 'open s1 02-01/03-01'] },
  ],
  [
    'an end cuts the period of its subscription',
    {
      open: [open('s1', '02-01', '03-01')],
      window: null,
      ends: { s1: '02-11' },
      expected: ['move s1 02-01/02-11 by records'],
    },
  ],
  [
    'an end at the end of the period leaves it whole',
    { open: [open('s1', '02-01', '03-01')], window: null, ends: { s1: '03-01' }, expected: [] },
  ],
  [
    'what was opened after an end goes',
    { open: [open('s1', '03-01', '04-01')], window: null, ends: { s1: '03-01' }, expected: ['remove s1 03-01'] },
  ],
  [
    'another subscription that pays takes over where it begins',
    {
      open: [open('s1', '01-15', '02-15')],
      window: { of: 's2', span: span('02-01', '03-01') },
      expected: ['move s1 01-15/02-01 by records', 'open s2 02-01/03-01 by records'],
    },
  ],
  [
    'the subscription before goes on where the one after it has ended, not from its own beginning',
    {
      open: [open('s2', '02-01', '03-01')],
      ratedUntil: '02-01',
      window: { of: 's1', span: span('01-15', '02-15') },
      ends: { s2: '02-10' },
      expected: ['move s2 02-01/02-10 by records', 'open s1 02-10/02-15 by records'],
    },
  ],
  [
    'a window that reaches into what is rated begins where that ends',
    { ratedUntil: '02-05', window: february, expected: ['open s1 02-05/03-01 by records'] },
  ],
])('%s', (_, { open: before = [], ratedUntil, window, ends = {}, expected }) => {
  const { removed, moved, opened } = followPeriods(
    before,
    ratedUntil ? day(ratedUntil) : null,
    window && { subscriptionId: window.of, window: window.span },
    (subscriptionId) => (ends[subscriptionId] ? day(ends[subscriptionId]) : null),
  )
  const by = ({ byRecords }: { byRecords: boolean }) => (byRecords ? ' by records' : '')
  expect([
    ...removed.map(({ periodId }) => `remove ${periodId}`),
    ...moved.map((each) => `move ${each.subscriptionId} ${text(each.period)}${by(each)}`),
    ...(opened ? [`open ${opened.subscriptionId} ${text(opened.period)}${by(opened)}`] : []),
  ]).toEqual(expected)
})
