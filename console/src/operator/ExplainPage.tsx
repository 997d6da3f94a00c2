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
import { Json } from '../ui/Json.tsx'
import { Page } from '../ui/Page.tsx'
import { Empty, StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
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
        <Answer tenantId={view.tenantId ?? ''} feature={view.feature ?? ''} at={view.at} />
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
        <Card title="How it was decided">
          <ol className={styles.steps}>
            {steps.map((step, place) => (
              <li key={`${step.source} ${step.sentence}`} data-decided={step.decided || undefined}>
                <p className={styles.source}>
                  {place + 1}. {step.source.replaceAll('_', ' ')}
                  {step.decided ? <strong className={styles.decided}>decided</strong> : null}
                </p>
                <p>{step.sentence}</p>
                {Object.keys(step.detail).length > 0 ? <Json value={step.detail} label="Inputs" /> : null}
              </li>
            ))}
          </ol>
        </Card>
        <div className="stack">
          <Card title="Would be allowed if">
            {wouldAllow.length === 0 ? (
              <p className="dim">
                {decision.allowed ? 'It is allowed already.' : 'Nothing known would change the answer.'}
              </p>
            ) : (
              <ul className={styles.would}>
                {wouldAllow.map((sentence) => (
                  <li key={sentence}>{sentence}</li>
                ))}
              </ul>
            )}
          </Card>
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
