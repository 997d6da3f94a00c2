import { Button } from '@mantine/core'
import type { Override } from '@turnpike/contract'
import { useState } from 'react'
import { useApiChange } from '../api/api.ts'
import { describeProblem } from '../api/problem.ts'
import { useMay, useSession } from '../api/session.tsx'
import { formatValue } from '../format/entitlements.ts'
import { formatQuantity } from '../format/quantity.ts'
import { Instant, useNow } from '../ui/Instant.tsx'
import { TextLink } from '../ui/Links.tsx'
import { ProblemNote } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { Actor } from './Actor.tsx'
import styles from './Overrides.module.css'
import { SecondPerson } from './SecondPerson.tsx'

type Props = { override: Override; showTenant?: boolean }

/** One exception: what, why, who asked, who decided, until when, and what can still be done about it. */
export function OverrideItem({ override, showTenant }: Props) {
  const now = useNow()
  const session = useSession()
  const mayWrite = useMay('billing:overrides:write')
  const state = stateOf(override, now)
  return (
    <li className={styles.item} data-over={(state !== 'running' && state !== 'waiting_for_approval') || undefined}>
      <div className="row spread">
        <span>
          <strong>{override.feature}</strong> → {settingOf(override)}
          {showTenant ? (
            <>
              {' '}
              for{' '}
              <TextLink to="/operator/customers" search={{ search: override.tenantId }}>
                {override.tenantId}
              </TextLink>
            </>
          ) : null}
        </span>
        <StatusTag group="override" state={state} />
      </div>
      <p>“{override.reason}”</p>
      <p className="small dim">
        Asked for by <Actor actor={override.actor} />, <Instant at={override.createdAt} />
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
      {override.decidedBy && override.decidedAt ? (
        <p className="small dim">
          {override.state === 'rejected' ? 'Rejected' : 'Approved'} by <Actor actor={override.decidedBy} />,{' '}
          <Instant at={override.decidedAt} />
          {override.decisionReason ? `: “${override.decisionReason}”` : ''}
        </p>
      ) : null}
      {state === 'waiting_for_approval' ? <Decide override={override} /> : null}
      {mayWrite && (state === 'running' || (state === 'waiting_for_approval' && override.actor === session.actor)) ? (
        <Withdraw override={override} waiting={state === 'waiting_for_approval'} />
      ) : null}
    </li>
  )
}

function stateOf(override: Override, now: number): string {
  if (override.withdrawnAt) return 'withdrawn'
  if (override.state === 'expired') return 'lapsed'
  if (override.state === 'waiting_for_approval') {
    return override.requestExpiresAt && Date.parse(override.requestExpiresAt) <= now ? 'lapsed' : 'waiting_for_approval'
  }
  if (override.state === 'rejected') return 'rejected'
  return override.expiresAt !== null && Date.parse(override.expiresAt) <= now ? 'expired' : 'running'
}

function Decide({ override }: { override: Override }) {
  const session = useSession()
  const may = useMay('billing:overrides:approve')
  const approve = useApiChange('approveOverride')
  const reject = useApiChange('rejectOverride')
  const order = (reason?: string) => ({ params: { overrideId: override.id }, body: reason ? { reason } : {} })
  return (
    <SecondPerson
      may={may}
      own={override.actor === session.actor}
      lapsesAt={override.requestExpiresAt}
      words={{
        approve: `Approve: ${override.feature} becomes ${settingOf(override)} at once`,
        reject: `Reject ${override.feature}`,
      }}
      approve={{ ...approve, decide: (reason) => approve.mutate(order(reason)) }}
      reject={{ ...reject, decide: (reason) => reject.mutate(order(reason)) }}
    />
  )
}

function Withdraw({ override, waiting }: { override: Override; waiting: boolean }) {
  const withdraw = useApiChange('withdrawOverride')
  const [asking, setAsking] = useState(false)
  return (
    <>
      <div className="row">
        {asking ? (
          <>
            <span>{waiting ? 'Nobody has to decide it any more.' : "The plan's own value applies at once."}</span>
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
      {withdraw.error ? <ProblemNote problem={describeProblem(withdraw.error)} /> : null}
    </>
  )
}

function settingOf({ set }: Override): string {
  if ('enabled' in set) return set.enabled ? 'on' : 'off'
  if ('value' in set) return formatValue(set.value)
  return set.limit === null ? 'no limit' : `limit ${formatQuantity(set.limit)}`
}
