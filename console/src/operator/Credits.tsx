import { Button, NativeSelect, TextInput } from '@mantine/core'
import type { CreditGrant, Customer } from '@turnpike/contract'
import { type FormEvent, useState } from 'react'
import { useApi, useApiChange, useApiPages } from '../api/api.ts'
import { describeProblem } from '../api/problem.ts'
import { serviceNow } from '../api/serviceTime.ts'
import { useMay, useSession } from '../api/session.tsx'
import { formatMoney, parseMoney } from '../format/money.ts'
import { Card, Facts } from '../ui/Card.tsx'
import { DataTable } from '../ui/DataTable.tsx'
import { Instant } from '../ui/Instant.tsx'
import { Money } from '../ui/Money.tsx'
import { More } from '../ui/More.tsx'
import { ProblemNote, StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { Actor } from './Actor.tsx'
import form from './OverrideForm.module.css'
import styles from './Overrides.module.css'

/** The prepaid credit of a customer, what was granted, and the ledger behind it (INV-3, INV-4). */
export function Credits({ customer: { tenantId, currency } }: { customer: Customer }) {
  const mayWrite = useMay('billing:credits:write')
  const credits = useApi('getCredits', { query: { tenantId } })
  const grants = useApiPages('listCreditGrants', { query: { tenantId } })
  const [granting, setGranting] = useState(false)
  const [ledger, setLedger] = useState(false)
  const available = credits.data?.data.balances.find((balance) => balance.currency === currency)?.available
  return (
    <Card
      title="Credit"
      aside={
        mayWrite && !granting ? (
          <Button size="compact-md" variant="default" onClick={() => setGranting(true)}>
            Grant credit
          </Button>
        ) : null
      }
    >
      {granting ? (
        <GrantForm
          tenantId={tenantId}
          currency={currency}
          before={available?.amountMinor ?? '0'}
          onClose={() => setGranting(false)}
        />
      ) : null}
      <StateBlock
        what="credit"
        reading={credits}
        lines={2}
        empty={({ data }) => (data.balances.length === 0 ? <p className="dim">No credit.</p> : null)}
      >
        {({ data }) =>
          data.balances.map((balance) => (
            <Facts
              key={balance.currency}
              facts={[
                ['Usable', <Money key="available" value={balance.available} explicit />],
                ['Bought', <Money key="paid" value={balance.paid} />],
                ['Given', <Money key="given" value={balance.promotional} />],
                ['Burnt', <Money key="burnt" value={balance.burnt} />],
                ['Ended', <Money key="ended" value={balance.expired} />],
                ['To be refunded', <Money key="refunded" value={balance.refunded} />],
              ]}
            />
          ))
        }
      </StateBlock>
      {grants.data ? (
        <ul className={styles.list}>
          {grants.data.pages
            .flatMap((page) => page.data)
            .map((grant) => (
              <CreditItem key={grant.id} grant={grant} />
            ))}
        </ul>
      ) : null}
      <More reading={grants} />
      <div>
        <Button size="compact-md" variant="default" aria-expanded={ledger} onClick={() => setLedger(!ledger)}>
          {ledger ? 'Hide the ledger' : 'Show the ledger'}
        </Button>
      </div>
      {ledger ? <Ledger tenantId={tenantId} /> : null}
    </Card>
  )
}

const accountWords: Record<string, string> = {
  credit: 'Credit',
  funding_paid: 'Came from payment',
  funding_promotional: 'Came from the house',
  revenue: 'Paid for usage',
  breakage: 'Ended unused',
  refunded: 'To be refunded',
}

function Ledger({ tenantId }: { tenantId: string }) {
  const entries = useApiPages('listLedgerEntries', { query: { tenantId } })
  return (
    <StateBlock what="the ledger" reading={entries}>
      {({ pages }) => (
        <>
          <DataTable
            caption="The ledger, newest first: entries of one movement sum to zero"
            rows={pages.flatMap((page) => page.data)}
            rowKey={(entry) => entry.number}
            columns={[
              { title: 'When', cell: (entry) => <Instant at={entry.at} /> },
              { title: 'Movement', cell: (entry) => entry.kind.replaceAll('_', ' ') },
              { title: 'Account', cell: (entry) => accountWords[entry.account] ?? entry.account },
              { title: 'Amount', cell: (entry) => <Money value={entry.amount} />, figures: true },
              { title: 'By', cell: (entry) => <Actor actor={entry.actor} /> },
            ]}
          />
          <More reading={entries} />
        </>
      )}
    </StateBlock>
  )
}

export function CreditItem({ grant, showTenant }: { grant: CreditGrant; showTenant?: boolean }) {
  const session = useSession()
  const mayWrite = useMay('billing:credits:write')
  const mayApprove = useMay('billing:credits:approve')
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
      {waits && mayApprove && grant.grantedBy !== session.actor ? <Decide grant={grant} /> : null}
      {mayWrite && (grant.state === 'active' || (waits && grant.grantedBy === session.actor)) ? (
        <TakeBack grant={grant} />
      ) : null}
    </li>
  )
}

function Decide({ grant }: { grant: CreditGrant }) {
  const approve = useApiChange('approveCreditGrant')
  const reject = useApiChange('rejectCreditGrant')
  const error = approve.error ?? reject.error
  const params = { grantId: grant.id }
  return (
    <>
      <p className="small">
        You are the second person. Approved, the customer has {formatMoney(grant.amount, { explicit: true })} more at
        once.
      </p>
      <div className="row">
        <Button size="compact-md" loading={approve.isPending} onClick={() => approve.mutate({ params, body: {} })}>
          Approve {formatMoney(grant.amount, { explicit: true })}
        </Button>
        <Button
          size="compact-md"
          variant="default"
          loading={reject.isPending}
          onClick={() => reject.mutate({ params, body: {} })}
        >
          Reject {formatMoney(grant.amount, { explicit: true })}
        </Button>
      </div>
      {error ? <ProblemNote problem={describeProblem(error)} /> : null}
    </>
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

type GrantProps = { tenantId: string; currency: string; before: string; onClose: () => void }

function GrantForm({ tenantId, currency, before, onClose }: GrantProps) {
  const create = useApiChange('createCreditGrant')
  const [amount, setAmount] = useState('')
  const [reason, setReason] = useState('')
  const [days, setDays] = useState('90')
  const [tried, setTried] = useState(false)
  const amountMinor = parseMoney(amount, currency)
  const missing = reason.trim().length < 3
  const money = (minor: bigint) => formatMoney({ amountMinor: String(minor), currency }, { explicit: true })
  const grant = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (amountMinor === null || missing) return
    const expiresAt = days === '' ? null : new Date(serviceNow() + Number(days) * 86_400_000).toISOString()
    create.mutate(
      { body: { tenantId, amount: { amountMinor, currency }, reason: reason.trim(), expiresAt } },
      { onSuccess: onClose },
    )
  }
  return (
    <form className={form.form} onSubmit={grant} noValidate aria-label="Grant credit">
      <TextInput
        label={`Amount in ${currency}`}
        value={amount}
        inputMode="decimal"
        onChange={(event) => setAmount(event.currentTarget.value)}
        error={tried && amountMinor === null ? `An amount in ${currency}, such as 25.` : undefined}
      />
      <NativeSelect
        label="Ends"
        value={days}
        onChange={(event) => setDays(event.currentTarget.value)}
        data={[
          { value: '30', label: 'in 30 days' },
          { value: '90', label: 'in 90 days' },
          { value: '365', label: 'in 365 days' },
          { value: '', label: 'never' },
        ]}
      />
      <TextInput
        label="Reason"
        description="The customer sees it; kept in the audit trail"
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        error={tried && missing ? 'Say why, in at least 3 characters.' : undefined}
        className={form.wide}
        maxLength={500}
      />
      <p className={form.wide} role="status">
        {amountMinor === null
          ? 'Credit pays what comes due before the payment method does.'
          : `The customer has ${money(BigInt(before))} and will have ${money(BigInt(before) + BigInt(amountMinor))}. Above what policy says, it waits for a second person.`}
      </p>
      <div className={`row ${form.wide}`}>
        <Button type="submit" loading={create.isPending}>
          Grant credit now
        </Button>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
      </div>
      {create.error ? (
        <div className={form.wide}>
          <ProblemNote problem={describeProblem(create.error)} />
        </div>
      ) : null}
    </form>
  )
}
