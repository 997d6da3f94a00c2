import { held, on, table, used } from './april.ts'

const at = (unitAmount: number | string) => ({ model: 'per_unit', unitAmount }) as const
const changed = (day: number, quantity: number) => ({ changes: [{ at: on(day), charge: 'seats', quantity }] })

export const perUnitCases = table([
  ['used units', used(at(5), 1234), [6170], 6170, '1234 × 5'],
  [
    'a price that JSON writes as 2e-7',
    used({ model: 'per_unit', unitAmount: 0.000_000_2 }, 2_500_000),
    [1],
    1,
    '2,500,000 × 0.0000002 = 0.5 rounds half up',
  ],
  ['nothing used', used(at(5), 0), [0], 0, '0 × 5'],
  ['one unit', used(at(5), 1), [5], 5, '1 × 5'],
  ['fractions of a cent add up before rounding', used(at('0.4'), 1001), [400], 400, '1001 × 0.4 = 400.4'],
  ['fractions at the half', used(at('0.5'), 1001), [501], 501, '1001 × 0.5 = 500.5 rounds half up'],
  [
    'fractions at the half, to even',
    used(at('0.5'), 1001, {}, { settings: { rounding: 'half_even' } }),
    [500],
    500,
    '500.5 rounds to the even 500',
  ],
  [
    'fractions cut off',
    used(at('0.5'), 1001, {}, { settings: { rounding: 'down' } }),
    [500],
    500,
    '500.5 is cut to 500',
  ],
  [
    'fractions rounded up',
    used(at('0.4'), 1001, {}, { settings: { rounding: 'up' } }),
    [401],
    401,
    '400.4 rounds up to 401',
  ],
  [
    'each unit rounded',
    used(at('0.5'), 1001, {}, { settings: { roundAt: 'unit' } }),
    [1001],
    1001,
    '0.5 rounds to 1; 1001 × 1',
  ],
  ['a fraction of a unit', used(at(100), '2.75'), [275], 275, '2.75 × 100'],
  ['parts of units rounded up', used({ ...at(100), quantityRounding: 'up' }, '2.25'), [300], 300, '2.25 counts as 3'],
  ['nine decimals', used(at('0.012345678'), 100_000), [1235], 1235, '100000 × 0.012345678 = 1234.5678'],
  ['up to what is included', used(at(5), 1000, { included: { quantity: 1000 } }), [0], 0, '1000 − 1000 = 0'],
  ['one above what is included', used(at(5), 1001, { included: { quantity: 1000 } }), [5], 5, '1001 − 1000 = 1'],
  [
    'one above, all repriced',
    used(at(5), 1001, { included: { quantity: 1000, mode: 'reprice_all' } }),
    [5005],
    5005,
    '1001 × 5',
  ],
  ['seats for a period', held(at(1000), 5), [5000], 5000, '5 × 1000'],
  ['seats added in the middle', held(at(1000), 2, changed(16, 5)), [3500], 3500, '2 × 1000 × 1/2 + 5 × 1000 × 1/2'],
  ['seats removed after ten days', held(at(1000), 5, changed(11, 2)), [3000], 3000, '5 × 1000 × 1/3 + 2 × 1000 × 2/3'],
  [
    'seats prorated and rounded each',
    held(at(1000), 3, { ...changed(8, 0), settings: { roundAt: 'unit' } }),
    [699],
    699,
    '1000 × 7/30 = 233.33 rounds to 233; 3 × 233',
  ],
  ['seats prorated and rounded once', held(at(1000), 3, changed(8, 0)), [700], 700, '3 × 1000 × 7/30'],
  [
    'included seats',
    held(at(1000), 5, { charges: [{ key: 'seats', price: at(1000), quantity: 5, included: { quantity: 3 } }] }),
    [2000],
    2000,
    '(5 − 3) × 1000',
  ],
  ['no decimals', used(at('0.75'), 1234, {}, { currency: 'JPY' }), [926], 926, '1234 × 0.75 = 925.5 yen'],
  ['three decimals', used(at('0.125'), 1001, {}, { currency: 'TND' }), [125], 125, '1001 × 0.125 = 125.125 millimes'],
])
