import { Button, TextInput } from '@mantine/core'
import type { CreditNote, Refund } from '@turnpike/contract'
import { type FormEvent, useState } from 'react'
import { useApiChange } from '../api/api.ts'
import { describeProblem } from '../api/problem.ts'
import { useMay, useSession } from '../api/session.tsx'
import { formatMoney } from '../format/money.ts'
import { Instant } from '../ui/Instant.tsx'
import { TextLink } from '../ui/Links.tsx'
import { ProblemNote } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { Actor } from './Actor.tsx'
import styles from './Overrides.module.css'

type Props = { kind: 'refund'; request: Refund } | { kind: 'credit_note'; request: CreditNote }

/** A refund or credit note that waits for a second person: what exactly happens, who asked and why. */
export function MoneyBackItem(props: Props) {
  const { request, kind } = props
  const amount = formatMoney(request.amount, { explicit: true })
  const what = kind === 'refund' ? 'Refund' : 'Credit note'
  return (
    <li className={styles.item}>
      <div className="row spread">
        <span>
          <strong>
            {what} of {amount}
          </strong>{' '}
          for{' '}
          <TextLink to="/operator/customers" search={{ search: request.tenantId }}>
            {request.tenantId}
          </TextLink>
          {request.invoiceId ? (
            <>
              {' '}
              ·{' '}
              <TextLink to="/operator/invoices/$invoiceId" params={{ invoiceId: request.invoiceId } as never}>
                See the invoice
              </TextLink>
            </>
          ) : null}
        </span>
        <StatusTag group="moneyBack" state={request.state} />
      </div>
      <p>“{request.reasonText}”</p>
      <p className="small dim">
        {effectOf(props)} Asked for by {request.requestedBy ? <Actor actor={request.requestedBy} /> : 'the provider'},{' '}
        <Instant at={request.requestedAt} />
      </p>
      <Decide {...props} amount={amount} />
    </li>
  )
}

function effectOf(props: Props): string {
  if (props.kind === 'refund') return 'Goes back to where it was paid from.'
  const { to } = props.request
  if (to === 'balance') return 'Goes to the balance and lowers the next invoices.'
  if (to === 'payment') return 'Goes back to where it was paid from, with a credit note.'
  return to === 'outside' ? 'Is settled in another way; no money moves here.' : 'Less is owed on the invoice.'
}

function Decide({ kind, request, amount }: Props & { amount: string }) {
  const session = useSession()
  const may = useMay('billing:refunds:approve')
  const changes = {
    approveRefund: useApiChange('approveRefund'),
    rejectRefund: useApiChange('rejectRefund'),
    approveNote: useApiChange('approveCreditNote'),
    rejectNote: useApiChange('rejectCreditNote'),
  }
  const [way, setWay] = useState<'approve' | 'reject' | null>(null)
  const [reason, setReason] = useState('')
  const [tried, setTried] = useState(false)
  const own = request.requestedBy === session.actor
  const until = request.requestExpiresAt ? (
    <>
      {' '}
      It lapses <Instant at={request.requestExpiresAt} distance />.
    </>
  ) : null
  if (!may) return <p className="small">A second person with the right to approve decides.{until}</p>
  const change =
    kind === 'refund'
      ? way === 'reject'
        ? changes.rejectRefund
        : changes.approveRefund
      : way === 'reject'
        ? changes.rejectNote
        : changes.approveNote
  const said = reason.trim()
  const wrong = (said !== '' && said.length < 3) || (way === 'reject' && said === '')
  const decide = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (wrong) return
    const body = said === '' ? {} : { reason: said }
    if (kind === 'refund') {
      const route = way === 'reject' ? changes.rejectRefund : changes.approveRefund
      route.mutate({ params: { refundId: request.id }, body })
    } else {
      const route = way === 'reject' ? changes.rejectNote : changes.approveNote
      route.mutate({ params: { creditNoteId: request.id }, body })
    }
  }
  return (
    <div className="stack" style={{ '--gap': '8px' } as React.CSSProperties}>
      <p className="small">
        {own ? 'You asked for this, so somebody else has to approve it.' : 'You are the second person.'}
        {until}
      </p>
      {way === null ? (
        <div className="row">
          {own ? null : (
            <Button size="compact-md" onClick={() => setWay('approve')} aria-label={`Approve ${amount} …`}>
              Approve …
            </Button>
          )}
          <Button
            size="compact-md"
            variant="default"
            onClick={() => setWay('reject')}
            aria-label={`Reject ${amount} …`}
          >
            Reject …
          </Button>
        </div>
      ) : (
        <form className="stack" style={{ '--gap': '8px' } as React.CSSProperties} onSubmit={decide} noValidate>
          <TextInput
            label={way === 'reject' ? 'Reason' : 'Reason (may be left out)'}
            description="Kept in the audit trail"
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            error={tried && wrong ? 'Say why, in at least 3 characters.' : undefined}
            maxLength={500}
          />
          <div className="row">
            <Button
              type="submit"
              size="compact-md"
              loading={change.isPending}
              {...(way === 'reject' ? { color: 'red' } : {})}
            >
              {way === 'reject' ? `Reject ${amount}` : `Approve: ${amount} is sent at once`}
            </Button>
            <Button size="compact-md" variant="default" onClick={() => setWay(null)}>
              Back
            </Button>
          </div>
        </form>
      )}
      {change.error ? <ProblemNote problem={describeProblem(change.error)} /> : null}
    </div>
  )
}
