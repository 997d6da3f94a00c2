import type { UpcomingInvoice } from '@turnpike/contract'
import { useApi } from '../api/api.ts'
import { formatExact } from '../format/exact.ts'
import { Card, Facts } from '../ui/Card.tsx'
import { type Column, DataTable } from '../ui/DataTable.tsx'
import { Instant, Period } from '../ui/Instant.tsx'
import { TextLink } from '../ui/Links.tsx'
import { Money } from '../ui/Money.tsx'
import { StateBlock } from '../ui/StateBlock.tsx'
import { useTenant } from './useTenant.ts'

/** The next invoice as it would be now: what is certain, and what may still grow (INV-5). */
export function NextInvoice() {
  const tenant = useTenant()
  const upcoming = useApi('getUpcomingInvoice', { query: tenant })
  return (
    <Card
      title="Next invoice"
      aside={
        <TextLink to="/billing/usage" search={tenant}>
          How usage is calculated
        </TextLink>
      }
    >
      <StateBlock
        what="the next invoice"
        reading={upcoming}
        lines={5}
        empty={({ data }) => (data.invoice === null ? <p className="dim">None is to come.</p> : null)}
      >
        {({ data }) => (data.invoice ? <Upcoming invoice={data.invoice} asOf={data.asOf} /> : null)}
      </StateBlock>
    </Card>
  )
}

type Next = NonNullable<UpcomingInvoice['invoice']>
type Line = Next['lines'][number]

function Upcoming({ invoice: { at, lines, discount, tax, total }, asOf }: { invoice: Next; asOf: string }) {
  const grows = lines.some(({ origin }) => origin === 'usage_so_far')
  return (
    <>
      <Facts
        facts={[
          ['Made', <Instant key="at" at={at} distance />],
          BigInt(discount.amountMinor) === 0n ? null : ['Discount', <Money key="discount" value={discount} />],
          tax && BigInt(tax.amountMinor) !== 0n ? ['Tax until now', <Money key="tax" value={tax} />] : null,
          [grows ? 'Total until now' : 'Total', <Money key="total" value={total} explicit />],
        ]}
      />
      <DataTable
        caption="Lines of the next invoice"
        columns={columns}
        rows={lines.map((line, place) => ({ line, place }))}
        rowKey={({ place }) => String(place)}
      />
      <p className="small dim">
        {grows ? 'Usage may still grow, and with it credit that pays for it, discounts and tax. ' : ''}As of{' '}
        <Instant at={asOf} show="seconds" />.
      </p>
    </>
  )
}

const origins: Record<Line['origin'], string> = {
  provider: 'Fixed',
  usage_so_far: 'Used until now',
  credit: 'Paid with credit',
  rated: 'Used before, to be charged',
}

const columns: Column<{ line: Line; place: number }>[] = [
  { title: 'Line', cell: ({ line }) => line.description },
  { title: 'For', cell: ({ line }) => <Period value={line.period} /> },
  { title: 'What', cell: ({ line }) => origins[line.origin] },
  {
    title: 'Quantity',
    figures: true,
    cell: ({ line }) => (line.quantity === null ? '–' : formatExact(line.quantity)),
  },
  { title: 'Amount', figures: true, cell: ({ line }) => <Money value={line.amount} /> },
]
