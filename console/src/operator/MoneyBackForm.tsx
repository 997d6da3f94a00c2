import { Button, NativeSelect, TextInput } from '@mantine/core'
import { moneyBackReasons, type RefundTerms } from '@turnpike/contract'
import { type FormEvent, useState } from 'react'
import { useApi, useApiChange } from '../api/api.ts'
import { describeProblem } from '../api/problem.ts'
import { formatMoney, minorDigits, minorToDecimal } from '../format/money.ts'
import { parseAmount } from '../format/money-input.ts'
import { Card, Facts } from '../ui/Card.tsx'
import { Instant } from '../ui/Instant.tsx'
import { Money } from '../ui/Money.tsx'
import { ProblemNote, StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import styles from './form.module.css'

/** Gives something back of an invoice: the server says how much there is, and the button says what will happen (INV-4). */
export function MoneyBackForm({ invoiceId }: { invoiceId: string }) {
  const terms = useApi('getRefundTerms', { params: { invoiceId } })
  return (
    <Card title="Give money back">
      <StateBlock what="what may be given back" reading={terms} lines={3}>
        {({ data }) => <Terms key={data.givenBack.amountMinor} terms={data} />}
      </StateBlock>
    </Card>
  )
}

type Way = 'refund' | 'owed' | 'balance' | 'payment' | 'outside'
const ways: { value: Way; label: string; bound: (terms: RefundTerms) => RefundTerms['refund'] }[] = [
  { value: 'refund', label: 'Refund to where it was paid from', bound: (terms) => terms.refund },
  { value: 'owed', label: 'Credit note: less is owed', bound: (terms) => terms.creditOwed },
  { value: 'balance', label: 'Credit note: to the balance, for the next invoices', bound: (terms) => terms.creditPaid },
  { value: 'payment', label: 'Credit note and refund', bound: (terms) => terms.creditPaid },
  { value: 'outside', label: 'Credit note: settled in another way', bound: (terms) => terms.creditPaid },
]

const blocks: Record<string, string> = {
  not_paid: 'nothing was paid yet',
  not_open: 'nothing is owed',
  no_payment: 'it was paid in a way that cannot be refunded',
  too_old: 'it was paid too long ago for the policy',
  nothing_left: 'all of it was given back',
}

function Terms({ terms }: { terms: RefundTerms }) {
  const open = ways.filter(({ bound }) => bound(terms).blocked === null)
  return (
    <>
      <Facts
        facts={[
          ['Paid', <Money key="paid" value={terms.paid} explicit />],
          ['Given back or asked for', <Money key="back" value={terms.givenBack} />],
          ['Can be refunded now', <Money key="left" value={terms.refund.available} />],
          terms.max ? ['You may give at most', <Money key="max" value={terms.max} />] : null,
          terms.secondPersonAbove
            ? ['A second person above', <Money key="second" value={terms.secondPersonAbove} />]
            : null,
          terms.until ? ['Until', <Instant key="until" at={terms.until} show="day" />] : null,
        ]}
      />
      {open.length === 0 ? (
        <p className="dim">Nothing can be given back: {blocks[terms.refund.blocked ?? ''] ?? terms.refund.blocked}.</p>
      ) : (
        <Form terms={terms} open={open} />
      )}
    </>
  )
}

const reasonWords: Record<(typeof moneyBackReasons)[number], string> = {
  duplicate: 'Charged twice',
  fraudulent: 'Fraudulent: blocks the card at the provider',
  order_change: 'The order was changed',
  product_unsatisfactory: 'Something did not work',
  requested_by_customer: 'The customer asked for it',
}

function Form({ terms, open }: { terms: RefundTerms; open: typeof ways }) {
  const refund = useApiChange('createRefund')
  const note = useApiChange('createCreditNote')
  const [way, setWay] = useState<Way>(open[0]!.value)
  const { currency } = terms.paid
  const chosen = open.find(({ value }) => value === way) ?? open[0]!
  const available = BigInt(chosen.bound(terms).available.amountMinor)
  const most = terms.max && BigInt(terms.max.amountMinor) < available ? BigInt(terms.max.amountMinor) : available
  const [typed, setTyped] = useState<string | null>(null)
  const amountText = typed ?? minorToDecimal(String(most), minorDigits(currency))
  const [reason, setReason] = useState<(typeof moneyBackReasons)[number]>('requested_by_customer')
  const [reasonText, setReasonText] = useState('')
  const [tried, setTried] = useState(false)
  // One key for each thing that was meant: another click or another try is the same refund.
  const [key, setKey] = useState(() => crypto.randomUUID())
  const amount = parseAmount(amountText, currency)
  const money = (minor: bigint) => formatMoney({ amountMinor: String(minor), currency }, { explicit: true })
  const wrong =
    amount === null
      ? `An amount above nothing, with at most ${minorDigits(currency)} decimals.`
      : amount > most
        ? `At most ${money(most)}.`
        : undefined
  const missing = reasonText.trim().length < 3
  const waits =
    amount !== null && terms.secondPersonAbove !== null && amount > BigInt(terms.secondPersonAbove.amountMinor)
  const change = way === 'refund' ? refund : note
  const done = change.data?.data

  const give = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (wrong || amount === null || missing) return
    const body = { amountMinor: String(amount), reason, reasonText: reasonText.trim(), idempotencyKey: key }
    const params = { invoiceId: terms.invoiceId }
    const onSuccess = () => setKey(crypto.randomUUID())
    if (way === 'refund') refund.mutate({ params, body }, { onSuccess })
    else note.mutate({ params, body: way === 'owed' ? body : { ...body, to: way } }, { onSuccess })
  }
  const effect =
    amount === null || wrong ? (
      'Nothing yet.'
    ) : (
      <>
        {money(amount)} {effects[way]}. {money(available - amount)} can be given back in this way afterwards.{' '}
        {waits ? 'Nothing happens before a second person has approved it.' : 'It is sent at once.'} The plan stays as it
        is.
      </>
    )

  return (
    <form className={styles.form} onSubmit={give} noValidate aria-label="Give money back">
      <NativeSelect
        label="How"
        value={way}
        onChange={(event) => {
          setWay(event.currentTarget.value as Way)
          setTyped(null)
        }}
        data={open.map(({ value, label }) => ({ value, label }))}
      />
      <TextInput
        label={`Amount in ${currency}`}
        value={amountText}
        onChange={(event) => setTyped(event.currentTarget.value)}
        inputMode="decimal"
        autoComplete="off"
        error={tried || typed !== null ? wrong : undefined}
      />
      <NativeSelect
        label="Reason"
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value as typeof reason)}
        data={moneyBackReasons.map((value) => ({ value, label: reasonWords[value] }))}
      />
      <TextInput
        label="In words"
        description="The customer can read it; it stands on credit notes"
        value={reasonText}
        onChange={(event) => setReasonText(event.currentTarget.value)}
        error={tried && missing ? 'Say why, in at least 3 characters.' : undefined}
        maxLength={500}
        className={styles.wide}
      />
      <p className={styles.wide} role="status">
        {effect}
      </p>
      <div className={`row ${styles.wide}`}>
        <Button type="submit" loading={change.isPending}>
          {amount === null || wrong
            ? 'Give back'
            : waits
              ? `Ask for approval of ${money(amount)}`
              : `Give back ${money(amount)}`}
        </Button>
        {done ? (
          <span role="status" className="row">
            <Money value={done.amount} explicit /> <StatusTag group="moneyBack" state={done.state} />
          </span>
        ) : null}
      </div>
      {change.error ? (
        <div className={styles.wide}>
          <ProblemNote problem={describeProblem(change.error)} />
        </div>
      ) : null}
    </form>
  )
}

const effects: Record<Way, string> = {
  refund: 'goes back to where it was paid from',
  owed: 'less is owed on this invoice',
  balance: 'goes to the balance and lowers the next invoices',
  payment: 'goes back to where it was paid from, with a credit note',
  outside: 'is noted as settled in another way; no money moves here',
}
