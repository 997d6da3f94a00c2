import type { CommandPreview } from '@turnpike/contract'
import { Period } from '../ui/Instant.tsx'
import { Money } from '../ui/Money.tsx'
import styles from './Review.module.css'

type Invoice = NonNullable<CommandPreview['dueNow']>

/** An invoice before it is made: every line with its days, tax, credit and what is left to pay. */
export function InvoiceLines({ invoice, caption, dueLabel }: { invoice: Invoice; caption: string; dueLabel: string }) {
  const isNothing = (amount: Invoice['total']) => BigInt(amount.amountMinor) === 0n
  const sums: [string, Invoice['total'], boolean?][] = [
    ...(invoice.lines.length > 1 || invoice.tax ? [['Subtotal', invoice.subtotal] as [string, Invoice['total']]] : []),
    ...(invoice.tax ? [['Tax', invoice.tax] as [string, Invoice['total']]] : []),
    ...(isNothing(invoice.creditApplied)
      ? []
      : [['From your credit', invoice.creditApplied, true] as [string, Invoice['total'], boolean]]),
  ]
  return (
    <table className={styles.lines}>
      <caption className="hidden">{caption}</caption>
      <thead className="hidden">
        <tr>
          <th scope="col">What</th>
          <th scope="col">Amount</th>
        </tr>
      </thead>
      <tbody>
        {invoice.lines.map((line) => (
          <tr key={`${line.description} ${line.period.start} ${line.amount.amountMinor}`}>
            <th scope="row">
              {line.description}
              <span className="dim small">
                <Period value={line.period} />
                {line.proration ? ' · for the part of the period' : ''}
              </span>
            </th>
            <td>
              <Money value={line.amount} />
            </td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        {sums.map(([name, amount, taken]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>
              {taken ? '−' : ''}
              <Money value={amount} />
            </td>
          </tr>
        ))}
        {BigInt(invoice.total.amountMinor) < 0n ? (
          <tr>
            <th scope="row">Goes to your credit</th>
            <td>
              <Money value={{ ...invoice.total, amountMinor: invoice.total.amountMinor.replace('-', '') }} />
            </td>
          </tr>
        ) : null}
        <tr className={styles.due}>
          <th scope="row">{dueLabel}</th>
          <td>
            <Money value={invoice.amountDue} explicit />
          </td>
        </tr>
        {invoice.tax === null ? (
          <tr>
            <td colSpan={2} className="dim small">
              The payment provider computes no tax for this.
            </td>
          </tr>
        ) : null}
      </tfoot>
    </table>
  )
}
