import { Button } from '@mantine/core'
import type { Override } from '@turnpike/contract'
import { useState } from 'react'
import { useApi, useApiChange } from '../api/api.ts'
import { describeProblem } from '../api/problem.ts'
import { useMay } from '../api/session.tsx'
import { formatValue } from '../format/entitlements.ts'
import { formatQuantity } from '../format/quantity.ts'
import { Card } from '../ui/Card.tsx'
import { Instant, useNow } from '../ui/Instant.tsx'
import { ProblemNote, StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { OverrideForm } from './OverrideForm.tsx'
import styles from './Overrides.module.css'

/** Exceptions for this customer, each with its reason and end. */
export function Overrides({ tenantId }: { tenantId: string }) {
  const mayWrite = useMay('billing:overrides:write')
  const overrides = useApi('listOverrides', { query: { tenantId } })
  const [granting, setGranting] = useState(false)
  return (
    <Card
      title="Overrides"
      aside={
        mayWrite && !granting ? (
          <Button size="compact-md" variant="default" onClick={() => setGranting(true)}>
            Grant an override
          </Button>
        ) : null
      }
    >
      {granting ? <OverrideForm tenantId={tenantId} onClose={() => setGranting(false)} /> : null}
      <StateBlock
        what="overrides"
        reading={overrides}
        lines={2}
        empty={({ data }) =>
          data.length === 0 ? <p className="dim">None. The customer has exactly what the plan gives.</p> : null
        }
      >
        {({ data }) => (
          <ul className={styles.list}>
            {data.map((override) => (
              <OverrideItem key={override.id} override={override} mayWrite={mayWrite} />
            ))}
          </ul>
        )}
      </StateBlock>
    </Card>
  )
}

function OverrideItem({ override, mayWrite }: { override: Override; mayWrite: boolean }) {
  const now = useNow()
  const withdraw = useApiChange('withdrawOverride')
  const [asking, setAsking] = useState(false)
  const expired = override.expiresAt !== null && Date.parse(override.expiresAt) <= now
  const state = override.withdrawnAt ? 'withdrawn' : expired ? 'expired' : 'running'
  return (
    <li className={styles.item} data-over={state !== 'running' || undefined}>
      <div className="row spread">
        <span>
          <strong>{override.feature}</strong> → {settingOf(override)}
        </span>
        <StatusTag group="override" state={state} />
      </div>
      <p>“{override.reason}”</p>
      <p className="small dim">
        {override.actor}, <Instant at={override.createdAt} />
        {override.withdrawnAt ? (
          <>
            {' '}
            · withdrawn <Instant at={override.withdrawnAt} />
          </>
        ) : override.expiresAt ? (
          <>
            {' '}
            · until <Instant at={override.expiresAt} distance />
          </>
        ) : (
          ' · without end'
        )}
      </p>
      {mayWrite && state === 'running' ? (
        <div className="row">
          {asking ? (
            <>
              <span>The plan's own value applies at once.</span>
              <Button
                size="compact-sm"
                color="red"
                loading={withdraw.isPending}
                onClick={() => withdraw.mutate({ params: { overrideId: override.id } })}
              >
                Withdraw {override.feature}
              </Button>
              <Button size="compact-sm" variant="default" onClick={() => setAsking(false)}>
                Keep
              </Button>
            </>
          ) : (
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => setAsking(true)}
              aria-label={`Withdraw the override of ${override.feature}`}
            >
              Withdraw …
            </Button>
          )}
        </div>
      ) : null}
      {withdraw.error ? <ProblemNote problem={describeProblem(withdraw.error)} /> : null}
    </li>
  )
}

function settingOf({ set }: Override): string {
  if ('enabled' in set) return set.enabled ? 'on' : 'off'
  if ('value' in set) return formatValue(set.value)
  return set.limit === null ? 'no limit' : `limit ${formatQuantity(set.limit)}`
}
