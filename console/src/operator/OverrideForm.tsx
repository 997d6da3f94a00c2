import { NativeSelect, TextInput } from '@mantine/core'
import type { CatalogFeature } from '@turnpike/contract'
import { type FormEvent, useState } from 'react'
import { useApi, useApiChange } from '../api/api.ts'
import { serviceNow } from '../api/serviceTime.ts'
import { parseSetting } from '../format/setting.ts'
import { StateBlock } from '../ui/StateBlock.tsx'
import { FormEnd } from './FormEnd.tsx'
import styles from './form.module.css'

/** Grants an exception: what, why, until when. A reason is required, an end is the default. */
export function OverrideForm({ tenantId, onClose }: { tenantId: string; onClose: () => void }) {
  const catalog = useApi('getCatalog', {})
  return (
    <StateBlock what="the catalog" reading={catalog}>
      {({ data }) => <Form tenantId={tenantId} features={data.content.features} onClose={onClose} />}
    </StateBlock>
  )
}

const ends = [
  { value: '1', label: 'in 1 day' },
  { value: '7', label: 'in 7 days' },
  { value: '30', label: 'in 30 days' },
  { value: '90', label: 'in 90 days' },
  { value: '', label: 'never' },
]

type FormProps = { tenantId: string; features: Record<string, CatalogFeature>; onClose: () => void }

function Form({ tenantId, features, onClose }: FormProps) {
  const create = useApiChange('createOverride')
  const [feature, setFeature] = useState(Object.keys(features)[0] ?? '')
  const [setting, setSetting] = useState('')
  const [reason, setReason] = useState('')
  const [days, setDays] = useState('30')
  const [tried, setTried] = useState(false)
  const definition = features[feature]
  const set = definition ? parseSetting(definition, setting) : null
  const reasonMissing = reason.trim().length < 3

  const grant = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!set || reasonMissing) return
    const expiresAt = days === '' ? null : new Date(serviceNow() + Number(days) * 86_400_000).toISOString()
    create.mutate({ body: { tenantId, feature, set, reason: reason.trim(), expiresAt } }, { onSuccess: onClose })
  }
  const error = tried && !set ? hints[kindOf(definition)] : undefined

  return (
    <form className={styles.form} onSubmit={grant} noValidate aria-label="Grant an override">
      <NativeSelect
        label="Feature"
        value={feature}
        onChange={(event) => {
          setFeature(event.currentTarget.value)
          setSetting('')
        }}
        data={Object.entries(features).map(([value, { name }]) => ({ value, label: name }))}
      />
      {definition?.kind === 'boolean' ? (
        <NativeSelect
          label="Set to"
          value={setting || 'on'}
          onChange={(event) => setSetting(event.currentTarget.value)}
          data={['on', 'off']}
        />
      ) : (
        <TextInput
          label={definition?.kind === 'metered' ? 'New limit' : 'New value'}
          description={hints[kindOf(definition)]}
          value={setting}
          onChange={(event) => setSetting(event.currentTarget.value)}
          error={error}
          spellCheck={false}
          inputMode={definition?.kind === 'metered' ? 'decimal' : undefined}
        />
      )}
      <TextInput
        label="Reason"
        description="Kept in the audit trail, with a ticket number if there is one"
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        error={tried && reasonMissing ? 'Say why, in at least 3 characters.' : undefined}
        className={styles.wide}
        maxLength={500}
      />
      <NativeSelect label="Ends" value={days} onChange={(event) => setDays(event.currentTarget.value)} data={ends} />
      <FormEnd words="Grant override" change={create} onClose={onClose} />
    </form>
  )
}

const hints = {
  metered: 'A number from 0, or “unlimited”',
  number: 'A number',
  string: 'A text',
  set: 'Names, separated by commas',
  boolean: '',
}

const kindOf = (feature: CatalogFeature | undefined): keyof typeof hints =>
  feature?.kind === 'value' ? feature.type : (feature?.kind ?? 'boolean')
