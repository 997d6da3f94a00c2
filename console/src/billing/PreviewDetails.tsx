import type { CommandPreview } from '@turnpike/contract'
import { formatInstant } from '../format/dates.ts'
import { perInterval } from '../format/interval.ts'
import { Card, Facts } from '../ui/Card.tsx'
import { Instant } from '../ui/Instant.tsx'
import { Money } from '../ui/Money.tsx'
import { termsText } from './commandWords.ts'
import { Differences } from './Differences.tsx'
import { Guardrails } from './Excess.tsx'
import { InvoiceLines } from './InvoiceLines.tsx'
import { RetentionSteps } from './RetentionSteps.tsx'
import styles from './Review.module.css'
import { useAddOnName } from './useAddOnName.ts'

/** Everything that a preview says, in the order in which people ask: what stands in the way, money, use, what follows. */
export function PreviewDetails({ preview }: { preview: CommandPreview }) {
  const { action, dueNow, nextRenewal, before, after, retention } = preview
  const addOnName = useAddOnName()
  return (
    <>
      <Guardrails preview={preview} />
      <Card title="What you pay">
        {dueNow ? (
          <InvoiceLines invoice={dueNow} caption="What is charged now" dueLabel="Due now" />
        ) : (
          <p className={styles.nothingDue}>
            <span>Due now</span> <strong>Nothing</strong>
          </p>
        )}
        {nextRenewal ? (
          <details className={styles.renewal}>
            <summary>
              <span>
                Next charge on <Instant at={nextRenewal.at} />
              </span>
              <strong>
                <Money value={nextRenewal.invoice.amountDue} explicit />
              </strong>
            </summary>
            <InvoiceLines
              invoice={nextRenewal.invoice}
              caption="What the next charge is made of"
              dueLabel={`Then ${perInterval((after ?? before)?.interval ?? 'month')}`}
            />
            <p className="small dim">Usage above what is included comes on top, as it is counted.</p>
          </details>
        ) : (
          <p className="dim">
            {action === 'pause' ? 'While it is paused nothing is charged.' : 'After that nothing more is charged.'}
          </p>
        )}
      </Card>
      <Card title="What you may use">
        <Differences entitlements={preview.entitlements} />
      </Card>
      {retention ? (
        <Card title="After the end">
          <RetentionSteps retention={retention} />
        </Card>
      ) : null}
      <Card title="When and what">
        <Facts
          facts={[
            ['Takes effect', preview.timing === 'now' ? 'At once' : formatInstant(preview.effectiveAt)],
            before ? ['Today', termsText(before)] : null,
            after && preview.action !== 'pause' ? [before ? 'Then' : 'What', termsText(after)] : null,
            after && after.addOns.length > 0
              ? ['Add-ons', after.addOns.map(({ addOn, quantity }) => `${quantity} × ${addOnName(addOn)}`).join(', ')]
              : null,
          ]}
        />
        <p className="small dim">{failureWords(preview)}</p>
      </Card>
    </>
  )
}

/** What happens when it does not work: said before, not after. */
function failureWords({ action, dueNow }: CommandPreview): string {
  if (dueNow && BigInt(dueNow.amountDue.amountMinor) > 0n) {
    return action === 'create'
      ? 'If the payment does not go through, nothing begins: you can pay the invoice or use another payment method.'
      : 'If the payment does not go through, what you have today stays in force: you can pay the invoice or use another payment method.'
  }
  return 'If the payment provider does not answer, this is kept and done as soon as it answers again. You can take it back.'
}
