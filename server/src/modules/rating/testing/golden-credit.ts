import type { RatingPreviewRequest } from '@turnpike/contract'
import { april, type More, on, table } from './april.ts'

type Credit = NonNullable<RatingPreviewRequest['credits']>[number]
const paid = (credits: Credit[], more: More = {}): RatingPreviewRequest => ({
  currency: 'USD',
  period: april,
  charges: [
    { key: 'base', price: { model: 'flat', unitAmount: 3000 } },
    { key: 'usage', price: { model: 'per_unit', unitAmount: 1 } },
  ],
  usage: [{ meter: 'usage', quantity: 1000 }],
  credits,
  ...more,
})
const a = { key: 'a', amount: 2500 }
const b = { key: 'b', amount: 2500 }
const lines = [3000, 1000]

export const creditCases = table([
  ['less than is due', paid([a]), lines, 1500, '4000 − 2500'],
  ['exactly what is due', paid([{ key: 'a', amount: 4000 }]), lines, 0, '4000 − 4000'],
  ['more than is due', paid([{ key: 'a', amount: 9000 }]), lines, 0, '4000 are burnt, 5000 are left'],
  ['two, the second in part', paid([a, b]), lines, 0, '2500 of a, 1500 of b; 1000 of b are left'],
  [
    'priority comes first',
    paid([a, { ...b, priority: 1, charges: ['usage'] }]),
    lines,
    500,
    '1000 of b on usage, 2500 of a',
  ],
  ['for usage only', paid([{ ...a, charges: ['usage'] }]), lines, 3000, '1000 of a on usage; 1500 are left'],
  [
    'expired the instant it is rated',
    paid([{ ...a, expiresAt: '2026-05-01T00:00:00Z' }]),
    lines,
    4000,
    'ends are exclusive',
  ],
  [
    'usable at the instant of its end',
    paid([{ ...a, expiresAt: '2026-05-01T00:00:00Z' }], { settings: { creditAtExpiry: 'usable' } }),
    lines,
    1500,
    '4000 − 2500 by the setting',
  ],
  ['expires a second later', paid([{ ...a, expiresAt: '2026-05-01T00:00:01Z' }]), lines, 1500, '4000 − 2500'],
  ['not granted yet', paid([{ ...a, grantedAt: '2026-05-02T00:00:00Z' }]), lines, 4000, 'granted after the rating'],
  [
    'rated while it was alive',
    paid([{ ...a, expiresAt: on(20) }], { at: on(19) }),
    lines,
    1500,
    '4000 − 2500 on 19 April',
  ],
  [
    'after a discount',
    paid([a], { coupons: [{ key: 'ten', percentOff: 10 }] }),
    lines,
    1100,
    '4000 − 10 % = 3600; − 2500',
  ],
  [
    'before a discount',
    paid([a], { coupons: [{ key: 'ten', percentOff: 10 }], settings: { order: ['credit', 'discount'] } }),
    lines,
    1350,
    '4000 − 2500 = 1500; − 10 %',
  ],
  ['before tax', paid([a], { taxPercent: 20 }), lines, 1800, '1500 + 20 %'],
  [
    'after tax',
    paid([a], { taxPercent: 20, settings: { order: ['tax', 'credit'] } }),
    lines,
    2300,
    '4000 + 20 % = 4800; − 2500',
  ],
  [
    'the tax too',
    paid([{ key: 'a', amount: 4500 }], { taxPercent: 20, settings: { order: ['tax', 'credit'] } }),
    lines,
    300,
    '4800 − 4500',
  ],
  ['no decimals', paid([{ key: 'a', amount: 500 }], { currency: 'JPY' }), lines, 3500, '4000 − 500 yen'],
  ['three decimals', paid([{ key: 'a', amount: 1001 }], { currency: 'KWD' }), lines, 2999, '4000 − 1001 fils'],
])
