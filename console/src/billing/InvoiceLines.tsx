import type { CommandPreview } from '@turnpike/contract'
import { Period } from '../ui/Instant.tsx'
import { Money } from '../ui/Money.tsx'
import styles from './Review.module.css'

type Invoice = NonNullable<CommandPreview['dueNow']>

/** An invoice before it is made: every line with its days, tax, credit and what is left to pay. */
export function InvoiceLines({ invoice, caption, dueLabel }: { invoice: Invoice; caption: string; dueLabel: string }) {
  const isNothing = (amount: Invoice['total']) => BigInt(amount.amountMinor) === 0n
  const { lines, subtotal, tax, total, creditApplied } = invoice
  const turned = ({ amountMinor, currency }: Invoice['total']) => ({ amountMinor: `${-BigInt(amountMinor)}`, currency })
  const sums: { name: string; amount: Invoice['total'] }[] = [
    ...(lines.length > 1 || tax ? [{ name: 'Subtotal', amount: subtotal }] : []),
    ...(tax ? [{ name: 'Tax', amount: tax }] : []),
    ...(isNothing(creditApplied) ? [] : [{ name: 'From your credit', amount: turned(creditApplied) }]),
    ...(BigInt(total.amountMinor) < 0n ? [{ name: 'Goes to your credit', amount: turned(total) }] : []),
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
        {sums.map(({ name, amount }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>
              <Money value={amount} />
            </td>
          </tr>
        ))}
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
