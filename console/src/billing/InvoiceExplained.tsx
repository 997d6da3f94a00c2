import type { InvoiceExplanation } from '@turnpike/contract'
import type { ReactNode } from 'react'
import { useApi } from '../api/api.ts'
import { Banner } from '../ui/Banner.tsx'
import { Card } from '../ui/Card.tsx'
import { Period } from '../ui/Instant.tsx'
import { Money } from '../ui/Money.tsx'
import { StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { Calculation } from './Calculation.tsx'

type Line = InvoiceExplanation['lines'][number]
/** Where the records of a line are to be seen, for who may look at them one by one. */
type ToRecords = (usage: NonNullable<Line['usage']>) => ReactNode

/** From the total to the lines, to the steps of each, to the usage that they came from (INV-5). */
export function InvoiceExplained({ invoiceId, toRecords }: { invoiceId: string; toRecords?: ToRecords }) {
  const explanation = useApi('explainInvoice', { params: { invoiceId } })
  return (
    <Card title="How this amount came about">
      <StateBlock
        what="the explanation"
        reading={explanation}
        lines={8}
        empty={({ data }) =>
          data.lines.length === 0 && data.remarks.length === 0 ? <p className="dim">It has no lines yet.</p> : null
        }
      >
        {({ data }) => <Explained explanation={data} {...(toRecords ? { toRecords } : {})} />}
      </StateBlock>
    </Card>
  )
}

const isNothing = ({ amountMinor }: { amountMinor: string }) => BigInt(amountMinor) === 0n

/** Prices that include their tax add up without it. */
const includesTax = ({ lines, discount, total }: InvoiceExplanation) =>
  lines.reduce((sum, { amount }) => sum + BigInt(amount.amountMinor), 0n) - BigInt(discount.amountMinor) ===
  BigInt(total.amountMinor)

function Explained({ explanation, toRecords }: { explanation: InvoiceExplanation; toRecords?: ToRecords }) {
  const { lines, creditNotes, discount, tax, total, unexplained, remarks } = explanation
  return (
    <>
      <p>
        <Money value={total} explicit /> is the sum of what follows
        {isNothing(discount) ? null : (
          <>
            , less <Money value={discount} /> of discounts
          </>
        )}
        {isNothing(tax) ? null : (
          <>
            , {includesTax(explanation) ? 'which includes' : 'with'} <Money value={tax} /> of tax
          </>
        )}
        {isNothing(unexplained) ? '.' : ', and of an amount that nothing explains.'}
      </p>
      {remarks.length > 0 ? (
        <Banner
          tone="warning"
          title={isNothing(unexplained) ? 'Not everything is as it should be' : 'Not all of it can be explained'}
        >
          {isNothing(unexplained) ? null : (
            <p>
              Unexplained: <Money value={unexplained} explicit />
            </p>
          )}
          <ul>
            {remarks.map((remark) => (
              <li key={remark}>{remark}</li>
            ))}
          </ul>
        </Banner>
      ) : null}
      {lines.map((line) => (
        <section key={line.id} className="stack" style={{ '--gap': '8px' } as React.CSSProperties}>
          <div className="row spread">
            <h3>{line.usage?.name ?? line.description ?? kinds[line.as]}</h3>
            <strong>
              <Money value={line.amount} />
            </strong>
          </div>
          <p className="small">
            {line.usage ? (
              <>
                {kinds[line.as]}, <Period value={line.usage.period} />
              </>
            ) : (
              line.text
            )}
          </p>
          {line.usage ? <Calculation of={line.usage} records={line.usage.records && toRecords?.(line.usage)} /> : null}
        </section>
      ))}
      {creditNotes.map((note) => (
        <section key={note.creditNoteId} className="stack" style={{ '--gap': '8px' } as React.CSSProperties}>
          <div className="row spread">
            <h3>Given back afterwards by credit note</h3>
            <StatusTag group="moneyBack" state={note.state} />
          </div>
          {note.lines.map((line) => (
            <div key={line.lineId} className="stack" style={{ '--gap': '8px' } as React.CSSProperties}>
              <p className="row spread">
                <span>{line.name}</span>
                <Money value={line.amount} />
              </p>
              <Calculation of={line} records={line.records && toRecords?.(line)} />
            </div>
          ))}
        </section>
      ))}
    </>
  )
}

const kinds: Record<Line['as'], string> = {
  base_price: 'Base price',
  seats: 'Seats',
  add_on: 'Add-on',
  product: 'Bought once',
  proration: 'Part of a period',
  usage: 'Usage',
  later_usage: 'The difference that later usage or a correction makes',
  credit: 'Prepaid credit',
  other: 'Billed by the payment provider',
}
