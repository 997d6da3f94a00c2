import { NativeSelect, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useApiChange } from '../api/api.ts'
import { serviceNow } from '../api/serviceTime.ts'
import { formatMoney, parseMoney } from '../format/money.ts'
import { FormEnd } from './FormEnd.tsx'
import form from './form.module.css'

type Props = { tenantId: string; currency: string; before: string; onClose: () => void }

/** Grants credit: how much, why, until when, and what the customer will have then. */
export function CreditForm({ tenantId, currency, before, onClose }: Props) {
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
      <FormEnd words="Grant credit now" change={create} onClose={onClose} />
    </form>
  )
}
