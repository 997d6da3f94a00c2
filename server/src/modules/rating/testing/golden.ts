import type { RatingPreviewRequest } from '@turnpike/contract'
import { creditCases } from './golden-credit.ts'
import { fieldCases } from './golden-field.ts'
import { flatCases, oneTimeCases } from './golden-flat.ts'
import { graduatedCases } from './golden-graduated.ts'
import { minimumCases } from './golden-minimum.ts'
import { packageCases } from './golden-package.ts'
import { perUnitCases } from './golden-per-unit.ts'
import { percentageCases } from './golden-percentage.ts'
import { volumeCases } from './golden-volume.ts'

/** Worked by hand: what is asked, how the amounts come about, and each line and the total in minor units. */
export type GoldenCase = {
  title: string
  request: RatingPreviewRequest
  lines: string[]
  total: string
  by: string
}
export type GoldenTable = { model: string; meaning: string; cases: GoldenCase[] }

/** The tables of the reference page and of the tests (RAT-1). */
export const goldenTables: GoldenTable[] = [
  { model: 'Flat', meaning: 'One price for a period.', cases: flatCases },
  { model: 'One-time', meaning: 'Charged once, never by time.', cases: oneTimeCases },
  { model: 'Per unit', meaning: 'Each unit costs the same; held for a time, or used.', cases: perUnitCases },
  { model: 'Graduated', meaning: 'Each unit pays the price of its own tier.', cases: graduatedCases },
  {
    model: 'Volume',
    meaning: 'All units pay the price of the tier that holds the whole quantity.',
    cases: volumeCases,
  },
  { model: 'Package', meaning: 'A price for each package of units.', cases: packageCases },
  {
    model: 'Percentage',
    meaning: 'A share of amounts moved, with fees and bounds for each transaction.',
    cases: percentageCases,
  },
  { model: 'Prepaid credits', meaning: 'Paid earlier or given; burnt before money is asked for.', cases: creditCases },
  {
    model: 'Commitments and discounts',
    meaning: 'Least and most of an invoice, coupons, and their order.',
    cases: minimumCases,
  },
  {
    model: 'As others publish them',
    meaning: 'Figures from the documentation of other products, as the same requests give them here.',
    cases: fieldCases,
  },
]
