import type { CreditNote, Refund } from '@turnpike/contract'
import { useApiChange } from '../api/api.ts'
import { useMay, useSession } from '../api/session.tsx'
import { formatMoney } from '../format/money.ts'
import { Instant } from '../ui/Instant.tsx'
import { TextLink } from '../ui/Links.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { Actor } from './Actor.tsx'
import styles from './Overrides.module.css'
import { SecondPerson } from './SecondPerson.tsx'

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
  const bodyOf = (reason?: string) => (reason ? { reason } : {})
  const refund = (change: typeof changes.approveRefund | typeof changes.rejectRefund) => ({
    ...change,
    decide: (reason?: string) => change.mutate({ params: { refundId: request.id }, body: bodyOf(reason) }),
  })
  const note = (change: typeof changes.approveNote | typeof changes.rejectNote) => ({
    ...change,
    decide: (reason?: string) => change.mutate({ params: { creditNoteId: request.id }, body: bodyOf(reason) }),
  })
  return (
    <SecondPerson
      may={may}
      own={request.requestedBy === session.actor}
      lapsesAt={request.requestExpiresAt}
      subject={amount}
      words={{ approve: `Approve: ${amount} is sent at once`, reject: `Reject ${amount}` }}
      approve={kind === 'refund' ? refund(changes.approveRefund) : note(changes.approveNote)}
      reject={kind === 'refund' ? refund(changes.rejectRefund) : note(changes.rejectNote)}
    />
  )
}
