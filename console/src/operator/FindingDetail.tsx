import { Button, TextInput } from '@mantine/core'
import { type Finding, findingKinds } from '@turnpike/contract'
import { useState } from 'react'
import { useApi, useApiChange } from '../api/api.ts'
import { describeProblem } from '../api/problem.ts'
import { useMay } from '../api/session.tsx'
import { formatAge } from '../format/age.ts'
import { Facts } from '../ui/Card.tsx'
import { Id } from '../ui/Id.tsx'
import { Instant } from '../ui/Instant.tsx'
import { TextLink } from '../ui/Links.tsx'
import { ProblemNote, StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { Actor } from './Actor.tsx'
import { Comparison } from './Comparison.tsx'
import styles from './FindingDetail.module.css'

/** One difference: here and there side by side, the proposed repair, and the three ways to close it (REC-2). */
export function FindingDetail({ findingId }: { findingId: string }) {
  const reading = useApi('getFinding', { params: { findingId } }, { refetchInterval: 5_000 })
  return (
    <StateBlock what="the finding" reading={reading} lines={8}>
      {({ data }) => <View finding={data} />}
    </StateBlock>
  )
}

function View({ finding }: { finding: Finding }) {
  return (
    <>
      <p>
        <strong>{finding.meaning}.</strong>
      </p>
      <div className="row">
        <StatusTag group="finding" state={finding.state} />
        <StatusTag group="severity" state={finding.severity} />
      </div>
      <Comparison here={finding.here} there={finding.there} />
      <Facts
        facts={[
          finding.tenantId
            ? [
                'Tenant',
                <TextLink key="tenant" to="/operator/customers" search={{ search: finding.tenantId }}>
                  {finding.tenantId}
                </TextLink>,
              ]
            : ['Tenant', 'nobody’s'],
          ['Object', <Id key="object" value={finding.object} label="object" />],
          ['First seen', <Instant key="first" at={finding.firstSeenAt} show="seconds" />],
          ['Last seen', <Instant key="last" at={finding.lastSeenAt} show="seconds" />],
          [finding.closedAt ? 'Was open for' : 'Open for', formatAge(finding.ageSeconds)],
          ['Finding', <Id key="id" value={finding.id} label="finding id" />],
        ]}
      />
      {finding.state === 'open' ? <Decide finding={finding} /> : <Closed finding={finding} />}
    </>
  )
}

function Closed({ finding }: { finding: Finding }) {
  return (
    <p role="status">
      <StatusTag group="finding" state={finding.state} />{' '}
      {finding.closedAt ? <Instant at={finding.closedAt} show="seconds" /> : null}
      {finding.closedBy ? (
        <>
          {' '}
          by <Actor actor={finding.closedBy} />
        </>
      ) : null}
      {finding.reason ? `: “${finding.reason}”` : ''}
    </p>
  )
}

type Way = 'repair' | 'accept' | 'dismiss'

function Decide({ finding }: { finding: Finding }) {
  const may = useMay('billing:reconciliation:repair')
  const repair = useApiChange('repairFinding')
  const accept = useApiChange('acceptFinding')
  const dismiss = useApiChange('dismissFinding')
  const [way, setWay] = useState<Way | null>(null)
  const [reason, setReason] = useState('')
  const [tried, setTried] = useState(false)
  if (!may) return <p className="dim">Your role cannot close findings. Ask somebody in operations.</p>

  const byHand = finding.repair === 'by_hand'
  const change = { repair, accept, dismiss }[way ?? 'repair']
  const missing = reason.trim() === ''
  return (
    <section className={styles.decide} aria-label="What to do">
      <p>
        Proposed: <strong>{finding.repairMeaning}</strong>
        {findingKinds[finding.kind].safe ? '' : byHand ? '' : '. It may take something away, so a person decides'}.
      </p>
      {way === null ? (
        <div className="row">
          {byHand ? null : <Button onClick={() => setWay('repair')}>Repair …</Button>}
          <Button variant="default" onClick={() => setWay('accept')}>
            Accept as meant …
          </Button>
          <Button variant="default" onClick={() => setWay('dismiss')}>
            Dismiss …
          </Button>
        </div>
      ) : (
        <form
          className="stack"
          style={{ '--gap': '12px' } as React.CSSProperties}
          noValidate
          onSubmit={(event) => {
            event.preventDefault()
            setTried(true)
            if (!missing) change.mutate({ params: { findingId: finding.id }, body: { reason: reason.trim() } })
          }}
        >
          <p className="small">{consequences[way]}</p>
          <TextInput
            label="Reason"
            description="Kept in the audit trail"
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            error={tried && missing ? 'Say why.' : undefined}
            maxLength={500}
            data-autofocus
          />
          <div className="row">
            <Button
              type="submit"
              loading={change.isPending}
              {...(way === 'repair' && !findingKinds[finding.kind].safe ? { color: 'red' } : {})}
            >
              {labels[way]}
            </Button>
            <Button variant="default" onClick={() => setWay(null)}>
              Back
            </Button>
          </div>
        </form>
      )}
      {way && change.error ? <ProblemNote problem={describeProblem(change.error)} /> : null}
    </section>
  )
}

const labels: Record<Way, string> = {
  repair: 'Do the repair and look again',
  accept: 'Accept the difference',
  dismiss: 'Dismiss the finding',
}

const consequences: Record<Way, string> = {
  repair: 'The repair is done now, then both sides are compared again. The finding closes only if they agree.',
  accept: 'The difference is meant. It is not reported again while it stays exactly as it is.',
  dismiss: 'The finding is closed and nothing is changed. If the difference is seen again, it is reported again.',
}
