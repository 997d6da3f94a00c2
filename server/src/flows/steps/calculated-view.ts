import type { UsageCost } from '@turnpike/contract'
import type { Catalog } from '../../modules/catalog/index.ts'
import type { ChargeLine } from '../../modules/periods/index.ts'

type Calculated = UsageCost['charges'][number]
type Shown = Pick<
  ChargeLine,
  | 'charge'
  | 'name'
  | 'kind'
  | 'quantity'
  | 'amountMinor'
  | 'currency'
  | 'exactAmount'
  | 'period'
  | 'calculation'
  | 'source'
>

/** A line with its calculation and the way to the very records that it was made of. */
export const calculatedView = ({ file }: Catalog, tenantId: string, line: Shown): Calculated => ({
  charge: line.charge,
  name: line.name,
  kind: line.kind,
  quantity: line.quantity,
  amount: { amountMinor: String(line.amountMinor), currency: line.currency },
  exactAmount: line.exactAmount,
  period: { start: line.period.start.toString(), end: line.period.end.toString() },
  calculation: line.calculation,
  records:
    line.source && recordsQuery(file.meters[line.source.meter]?.name ?? line.source.meter, tenantId, line.source),
})

const recordsQuery = (
  name: string,
  tenantId: string,
  source: NonNullable<ChargeLine['source']>,
): Calculated['records'] => {
  const { meter, window, aggregation, records } = source
  const asked = new URLSearchParams({ tenantId, meter, from: window.start, to: window.end })
  return {
    meter,
    name,
    from: window.start,
    to: window.end,
    aggregation,
    records,
    path: `/api/v1/usage-records?${asked}`,
  }
}
