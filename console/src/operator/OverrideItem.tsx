import { Button, TextInput } from '@mantine/core'
import type { Override } from '@turnpike/contract'
import { type FormEvent, useState } from 'react'
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

/** Approve or reject, by somebody else than whoever asked. */
function Decide({ override }: { override: Override }) {
  const session = useSession()
  const may = useMay('billing:overrides:approve')
  const approve = useApiChange('approveOverride')
  const reject = useApiChange('rejectOverride')
  const [way, setWay] = useState<'approve' | 'reject' | null>(null)
  const [reason, setReason] = useState('')
  const [tried, setTried] = useState(false)
  const until = override.requestExpiresAt ? (
    <>
      {' '}
      It lapses <Instant at={override.requestExpiresAt} distance />.
    </>
  ) : null
  const own = override.actor === session.actor
  if (!may) {
    return <p className="small">A second person with the right to approve decides.{until}</p>
  }
  const change = way === 'reject' ? reject : approve
  const short = reason.trim() !== '' && reason.trim().length < 3
  const missing = way === 'reject' && reason.trim() === ''
  const decide = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (short || missing) return
    change.mutate({
      params: { overrideId: override.id },
      body: reason.trim() === '' ? {} : { reason: reason.trim() },
    })
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
            <Button size="compact-md" onClick={() => setWay('approve')}>
              Approve …
            </Button>
          )}
          <Button size="compact-md" variant="default" onClick={() => setWay('reject')}>
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
            error={tried && (short || missing) ? 'Say why, in at least 3 characters.' : undefined}
            maxLength={500}
          />
          <div className="row">
            <Button
              type="submit"
              size="compact-md"
              loading={change.isPending}
              {...(way === 'reject' ? { color: 'red' } : {})}
            >
              {way === 'reject'
                ? `Reject ${override.feature}`
                : `Approve: ${override.feature} becomes ${settingOf(override)} at once`}
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
