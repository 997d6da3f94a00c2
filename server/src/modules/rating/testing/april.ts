import type { RatingPreviewRequest } from '@turnpike/contract'
import type { GoldenCase } from './golden.ts'

type Charge = NonNullable<RatingPreviewRequest['charges']>[number]
export type More = Partial<RatingPreviewRequest>
type Row = [title: string, request: RatingPreviewRequest, lines: number[], total: number, by: string]

/** April of 2026: 30 days, 720 hours. */
export const april = { start: '2026-04-01T00:00:00Z', end: '2026-05-01T00:00:00Z' }
export const on = (day: number, time = '00:00:00'): string => `2026-04-${String(day).padStart(2, '0')}T${time}Z`

export const held = (price: Charge['price'], quantity: number | string, more: More = {}): RatingPreviewRequest => ({
  currency: 'USD',
  period: april,
  charges: [{ key: 'seats', price, quantity }],
  ...more,
})
export const used = (
  price: Charge['price'],
  quantity: number | string,
  charge: Partial<Charge> = {},
  more: More = {},
): RatingPreviewRequest => ({
  currency: 'USD',
  period: april,
  charges: [{ key: 'calls', price, ...charge }],
  usage: [{ meter: 'calls', quantity }],
  ...more,
})

export const table = (rows: Row[]): GoldenCase[] =>
  rows.map(([title, request, lines, total, by]) => ({
    title,
    request,
    lines: lines.map(String),
    total: String(total),
    by,
  }))
