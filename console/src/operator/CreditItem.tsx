import { Button, NativeSelect, TextInput } from '@mantine/core'
import type { CreditGrant } from '@turnpike/contract'
import { type FormEvent, useState } from 'react'
import { useApiChange } from '../api/api.ts'
import { describeProblem } from '../api/problem.ts'
import { useMay, useSession } from '../api/session.tsx'
import { formatMoney } from '../format/money.ts'
import { Instant } from '../ui/Instant.tsx'
import { Money } from '../ui/Money.tsx'
import { ProblemNote } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { Actor } from './Actor.tsx'
import form from './form.module.css'
import styles from './Overrides.module.css'
import { SecondPerson } from './SecondPerson.tsx'

/** One grant of credit: how much, why, by whom, until when, and what can still be done about it. */
export function CreditItem({ grant, showTenant }: { grant: CreditGrant; showTenant?: boolean }) {
  const session = useSession()
  const mayWrite = useMay('billing:credits:write')
  const waits = grant.state === 'waiting_for_approval'
  return (
    <li className={styles.item} data-over={(grant.state !== 'active' && !waits) || undefined}>
      <div className="row spread">
        <span>
          <strong>
            <Money value={grant.amount} explicit />
          </strong>{' '}
          {grant.category === 'paid' ? 'bought' : 'given'}
          {showTenant ? ` to ${grant.tenantId}` : null}
          {grant.state === 'active' ? (
            <>
              , <Money value={grant.left} /> left
            </>
          ) : null}
        </span>
        <StatusTag group="credit" state={grant.state} />
      </div>
      <p>“{grant.reason}”</p>
      <p className="small dim">
        <Actor actor={grant.grantedBy} />, <Instant at={grant.grantedAt} />
        {grant.expiresAt ? (
          <>
            {' '}
            · until <Instant at={grant.expiresAt} distance />
          </>
        ) : (
          ' · without end'
        )}
        {grant.charges ? ` · for ${grant.charges.join(', ')} only` : ''}
      </p>
      {waits && grant.grantedBy !== session.actor ? <Decide grant={grant} /> : null}
      {mayWrite && (grant.state === 'active' || (waits && grant.grantedBy === session.actor)) ? (
        <TakeBack grant={grant} />
      ) : null}
    </li>
  )
}

function Decide({ grant }: { grant: CreditGrant }) {
  const may = useMay('billing:credits:approve')
  const approve = useApiChange('approveCreditGrant')
  const reject = useApiChange('rejectCreditGrant')
  const order = (reason?: string) => ({ params: { grantId: grant.id }, body: reason ? { reason } : {} })
  const amount = formatMoney(grant.amount, { explicit: true })
  return (
    <SecondPerson
      may={may}
      own={false}
      lapsesAt={null}
      subject={amount}
      words={{ approve: `Approve: the customer has ${amount} more at once`, reject: `Reject ${amount}` }}
      approve={{ ...approve, decide: (reason) => approve.mutate(order(reason)) }}
      reject={{ ...reject, decide: (reason) => reject.mutate(order(reason)) }}
    />
  )
}

/** What goes is said before it goes. */
function TakeBack({ grant }: { grant: CreditGrant }) {
  const take = useApiChange('voidCreditGrant')
  const [asking, setAsking] = useState(false)
  const [reason, setReason] = useState('')
  const [as, setAs] = useState<'void' | 'refund'>('void')
  const [tried, setTried] = useState(false)
  const missing = reason.trim().length < 3
  const left = formatMoney(grant.left, { explicit: true })
  const isPaid = grant.refundable.amountMinor !== '0'
  if (!asking)
    return (
      <div className="row">
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => setAsking(true)}
          aria-label={`Take back credit: ${grant.reason}`}
        >
          Take back …
        </Button>
      </div>
    )
  const send = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!missing) take.mutate({ params: { grantId: grant.id }, body: { reason: reason.trim(), as } })
  }
  return (
    <form className={form.form} onSubmit={send} noValidate aria-label="Take back credit">
      <TextInput
        label="Reason"
        description="Kept in the audit trail and in the ledger"
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        error={tried && missing ? 'Say why, in at least 3 characters.' : undefined}
        className={form.wide}
        maxLength={500}
      />
      {isPaid ? (
        <NativeSelect
          label="What was paid for it"
          value={as}
          onChange={(event) => setAs(event.currentTarget.value as 'void' | 'refund')}
          data={[
            { value: 'void', label: 'stays with the house' },
            { value: 'refund', label: 'is to go back' },
          ]}
        />
      ) : null}
      <p className={form.wide} role="status">
        {grant.state === 'active' ? `The customer loses ${left} at once.` : 'Nobody has to decide it any more.'}
        {as === 'refund'
          ? ` ${formatMoney(grant.refundable, { explicit: true })} is booked to be refunded; refund it at its payment.`
          : ''}
      </p>
      <div className={`row ${form.wide}`}>
        <Button type="submit" size="compact-md" color="red" loading={take.isPending}>
          Take back {grant.state === 'active' ? left : 'the request'}
        </Button>
        <Button size="compact-md" variant="default" onClick={() => setAsking(false)}>
          Keep
        </Button>
      </div>
      {take.error ? (
        <div className={form.wide}>
          <ProblemNote problem={describeProblem(take.error)} />
        </div>
      ) : null}
    </form>
  )
}
