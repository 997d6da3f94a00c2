import type { UsageCost } from '@turnpike/contract'
import { useApi } from '../api/api.ts'
import { Card } from '../ui/Card.tsx'
import { Instant, Period } from '../ui/Instant.tsx'
import { TextLink } from '../ui/Links.tsx'
import meter from '../ui/Meter.module.css'
import { Money } from '../ui/Money.tsx'
import { Empty, StateBlock } from '../ui/StateBlock.tsx'
import { Calculation } from './Calculation.tsx'
import { useTenant } from './useTenant.ts'

/** What usage has cost until now in this period, price by price, by the rule that the invoice will follow (INV-5). */
export function CostSoFar() {
  const tenant = useTenant()
  const cost = useApi('getUsageCost', { query: tenant }, { refetchInterval: 30_000 })
  return (
    <Card
      title="Cost so far"
      aside={
        <TextLink to="/billing/invoices" search={tenant}>
          The next invoice
        </TextLink>
      }
    >
      <StateBlock
        what="the cost so far"
        reading={cost}
        lines={5}
        empty={({ data }) =>
          data.total === null ? (
            <Empty title="Nothing you use is charged">Your plan has no prices for usage.</Empty>
          ) : null
        }
      >
        {({ data }) => <Charges cost={data} />}
      </StateBlock>
    </Card>
  )
}

const isNothing = (amount: UsageCost['waiting']) => amount === null || BigInt(amount.amountMinor) === 0n

function Charges({ cost: { total, waiting, period, charges, asOf } }: { cost: UsageCost }) {
  return (
    <>
      <div className={meter.meter}>
        {total ? (
          <p className={meter.figure}>
            <Money value={total} explicit />
          </p>
        ) : null}
        <p className="small dim">
          For usage
          {period ? (
            <>
              , <Period value={period} />
            </>
          ) : null}
          , before tax and discounts. It grows with use and is charged when the period is over.
        </p>
      </div>
      {charges.length === 0 ? <p>Nothing was used in this period until now.</p> : null}
      {charges.map((charge) => (
        <section key={charge.charge} className="stack" style={{ '--gap': '8px' } as React.CSSProperties}>
          <div className="row spread">
            <h3>{charge.name}</h3>
            <strong>
              <Money value={charge.amount} />
            </strong>
          </div>
          <Calculation of={charge} />
        </section>
      ))}
      {waiting && !isNothing(waiting) ? (
        <p>
          <Money value={waiting} explicit /> of earlier periods waits for the next invoice.
        </p>
      ) : null}
      <p className="small dim">
        As of <Instant at={asOf} show="seconds" />
      </p>
    </>
  )
}
