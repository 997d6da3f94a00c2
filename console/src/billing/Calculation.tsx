import type { UsageCost } from '@turnpike/contract'
import type { ReactNode } from 'react'
import {
  calculatedQuantity,
  recordsOf,
  roundingSentence,
  stepLabel,
  stepPrice,
  stepQuantity,
} from '../format/calculation.ts'
import { formatExactMoney } from '../format/exact.ts'
import { DataTable } from '../ui/DataTable.tsx'
import { Period } from '../ui/Instant.tsx'

type Calculated = UsageCost['charges'][number]

/** How a usage line comes to its amount, step by step, and from which records (INV-5). */
export function Calculation({ of, records }: { of: Calculated; records?: ReactNode }) {
  const { currency } = of.amount
  const rounding = roundingSentence(of)
  return (
    <>
      {of.calculation.length === 0 ? null : (
        <DataTable
          caption={`Calculation of ${of.name}`}
          rows={of.calculation.map((step, place) => ({ step, place }))}
          rowKey={({ place }) => String(place)}
          columns={[
            { title: 'Step', cell: ({ step }) => stepLabel(step) },
            { title: 'Quantity', figures: true, cell: ({ step }) => stepQuantity(step, of.calculation, currency) },
            { title: 'Each', figures: true, cell: ({ step }) => stepPrice(step, currency) },
            { title: 'Amount', figures: true, cell: ({ step }) => formatExactMoney(step.amount, currency) },
          ]}
        />
      )}
      {of.records || rounding ? (
        <p className="small dim">
          {of.records ? (
            <>
              {calculatedQuantity(of)} counted. {recordsOf(of.records)},{' '}
              <Period value={{ start: of.records.from, end: of.records.to }} />.
            </>
          ) : null}
          {rounding ? ` ${rounding}` : ''} {records}
        </p>
      ) : null}
    </>
  )
}
