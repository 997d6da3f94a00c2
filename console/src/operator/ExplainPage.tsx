import { Button, TextInput } from '@mantine/core'
import type { Explanation } from '@turnpike/contract'
import { type FormEvent, useState } from 'react'
import { useApi } from '../api/api.ts'
import { useSession } from '../api/session.tsx'
import { formatValue } from '../format/entitlements.ts'
import { formatQuantity } from '../format/quantity.ts'
import { useView } from '../search.ts'
import { Banner } from '../ui/Banner.tsx'
import { Card, Facts } from '../ui/Card.tsx'
import { Instant } from '../ui/Instant.tsx'
import { Page } from '../ui/Page.tsx'
import { Empty, StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { DecisionAnswer, Decisions } from './Decisions.tsx'
import { Steps, WouldAllow } from './Derivation.tsx'
import styles from './ExplainPage.module.css'

/** Why a customer may or may not use a feature, now or at a past moment (ENT-5). The address is the permalink. */
export function ExplainPage() {
  const [view] = useView()
  const asked = view.feature && view.tenantId
  return (
    <Page
      title="Explain a decision"
      documentTitle={asked ? `${view.feature} · ${view.tenantId} · Explain` : 'Explain a decision'}
      lead="Every source that was looked at, in order, and the one that decided."
    >
      <Question key={`${view.tenantId} ${view.feature} ${view.at}`} />
      {asked ? (
        <>
          {view.decision ? (
            <DecisionAnswer tenantId={view.tenantId ?? ''} decisionId={view.decision} />
          ) : (
            <Answer tenantId={view.tenantId ?? ''} feature={view.feature ?? ''} at={view.at} />
          )}
          <Decisions tenantId={view.tenantId ?? ''} feature={view.feature ?? ''} />
        </>
      ) : (
        <Empty title="Name a tenant and a feature">
          Every denial in a customer's timeline links here with both filled in.
        </Empty>
      )}
    </Page>
  )
}

function Question() {
  const session = useSession()
  const [view, setView] = useView()
  const [tenantId, setTenantId] = useState(view.tenantId ?? session.tenantId ?? '')
  const [feature, setFeature] = useState(view.feature ?? '')
  const [at, setAt] = useState(view.at ?? '')
  const [missing, setMissing] = useState(false)
  const catalog = useApi('getCatalog', {})
  const badTime = at.trim() !== '' && Number.isNaN(Date.parse(at))

  const ask = (event: FormEvent) => {
    event.preventDefault()
    setMissing(true)
    if (!tenantId.trim() || !feature.trim() || badTime) return
    setView({
      tenantId: tenantId.trim(),
      feature: feature.trim(),
      at: at.trim() === '' ? undefined : new Date(at).toISOString(),
      decision: undefined,
    })
  }
  return (
    <form className={styles.form} onSubmit={ask} noValidate>
      <TextInput
        label="Tenant"
        value={tenantId}
        onChange={(event) => setTenantId(event.currentTarget.value)}
        error={missing && !tenantId.trim() ? 'Name a tenant.' : undefined}
      />
      <TextInput
        label="Feature"
        list="features"
        value={feature}
        onChange={(event) => setFeature(event.currentTarget.value)}
        error={missing && !feature.trim() ? 'Name a feature.' : undefined}
        autoComplete="off"
        spellCheck={false}
      />
      <datalist id="features">
        {Object.entries(catalog.data?.data.content.features ?? {}).map(([key, { name }]) => (
          <option key={key} value={key}>
            {name}
          </option>
        ))}
      </datalist>
      <TextInput
        label="At"
        description="Empty means now"
        value={at}
        onChange={(event) => setAt(event.currentTarget.value)}
        error={badTime ? 'Write a time such as 2026-11-20T14:00:00Z.' : undefined}
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        spellCheck={false}
      />
      <Button type="submit">Explain</Button>
    </form>
  )
}

function Answer({ tenantId, feature, at }: { tenantId: string; feature: string; at: string | undefined }) {
  const explanation = useApi('explain', { params: { feature }, query: { tenantId, ...(at ? { at } : {}) } })
  return (
    <StateBlock what="the explanation" reading={explanation} lines={8}>
      {({ data }) => <Derivation explanation={data} />}
    </StateBlock>
  )
}

function Derivation({ explanation }: { explanation: Explanation }) {
  const { decision, steps, wouldAllow } = explanation
  const amount = (quantity: number | null) => (quantity === null ? 'none' : formatQuantity(quantity))
  return (
    <>
      <Banner
        tone={decision.allowed ? 'ok' : 'danger'}
        title={`${decision.allowed ? 'Allowed' : 'Denied'}: ${decision.reason.replaceAll('_', ' ')}`}
      >
        {explanation.tenantId} · {explanation.feature} · <Instant at={explanation.at} show="seconds" />
      </Banner>
      <div className={styles.columns}>
        <Steps steps={steps} />
        <div className="stack">
          <WouldAllow wouldAllow={wouldAllow} allowed={decision.allowed} />
          <Card title="As it stood">
            <Facts
              facts={[
                ['Access', <StatusTag key="access" group="access" state={explanation.accessLevel} />],
                decision.value === null ? null : ['Value', formatValue(decision.value)],
                decision.kind === 'metered' ? ['Used', amount(decision.used)] : null,
                decision.kind === 'metered' ? ['Limit', amount(decision.limit)] : null,
                decision.resetsAt ? ['Starts again', <Instant key="reset" at={decision.resetsAt} />] : null,
                decision.upgradePlan ? ['Plan that would allow it', decision.upgradePlan] : null,
                ['Entitlements version', `${explanation.snapshotVersion}`],
              ]}
            />
          </Card>
        </div>
      </div>
    </>
  )
}
