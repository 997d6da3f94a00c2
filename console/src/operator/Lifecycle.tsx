import { Anchor } from '@mantine/core'
import type { BillingStatus } from '@turnpike/contract'
import { ExcessTable } from '../billing/Excess.tsx'
import { RetentionSteps } from '../billing/RetentionSteps.tsx'
import { statusWord } from '../format/words.ts'
import { Banner } from '../ui/Banner.tsx'
import { Card } from '../ui/Card.tsx'
import { Instant } from '../ui/Instant.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { type Milestone, Milestones } from './Milestones.tsx'

/** What is under way beside the subscription itself: dunning, cleaning up after a change to less, and the time after the end. */
export function Lifecycle({ status }: { status: BillingStatus }) {
  const { dunning, remediation, retention } = status
  return (
    <>
      {dunning ? <Dunning status={status} dunning={dunning} /> : null}
      {remediation ? <Remediation remediation={remediation} /> : null}
      {retention ? (
        <Card title="After the last subscription">
          <RetentionSteps retention={retention} />
        </Card>
      ) : null}
    </>
  )
}

type DunningOf = NonNullable<BillingStatus['dunning']>

function Dunning({ status, dunning }: { status: BillingStatus; dunning: DunningOf }) {
  const invoiceUrl = status.paymentProblem?.invoiceUrl
  return (
    <Card title="Dunning" aside={dunning.stage ? <StatusTag group="access" state={dunning.stage} /> : null}>
      <Milestones label="Stages of dunning" steps={stagesOf(status, dunning)} />
      <p className="small dim">
        {invoiceUrl ? (
          <>
            <Anchor href={invoiceUrl} target="_blank" rel="noreferrer">
              The unpaid invoice at the provider
            </Anchor>
            .{' '}
          </>
        ) : null}
        The end waits while the provider still plans to try.
      </p>
    </Card>
  )
}

function stagesOf({ paymentProblem }: BillingStatus, dunning: DunningOf): Milestone[] {
  const word = (stage: string) => (stage === 'canceled' ? 'The subscription ends' : statusWord('access', stage).word)
  const { stage, since, nextStage, nextAt, cancelAt } = dunning
  return [
    ...(paymentProblem ? [{ title: 'A payment failed', at: paymentProblem.since, state: 'past' as const }] : []),
    ...(stage ? [{ title: word(stage), at: since, state: 'now' as const }] : []),
    ...(nextStage ? [{ title: word(nextStage), at: nextAt, state: 'ahead' as const }] : []),
    ...(cancelAt && nextStage !== 'canceled'
      ? [{ title: 'The subscription ends', at: cancelAt, state: 'ahead' as const }]
      : []),
  ]
}

function Remediation({ remediation }: { remediation: NonNullable<BillingStatus['remediation']> }) {
  const { kind, plan, startedAt, deadline, enforced, items } = remediation
  return (
    <Card title="More in use than the plan allows">
      <Banner tone={enforced ? 'danger' : 'warning'}>
        {enforced
          ? `The limits of ${plan.name} hold; what is above them is locked, and nothing was destroyed.`
          : kind === 'cleanup_window'
            ? `The limits from before stay until the end of the cleanup window; then those of ${plan.name} hold.`
            : `The limits of ${plan.name} hold for everything new.`}
      </Banner>
      <p className="small dim">
        Since <Instant at={startedAt} distance />
        {deadline ? (
          <>
            , until <Instant at={deadline} distance />
          </>
        ) : null}
        .
      </p>
      <ExcessTable items={items} caption={`In use above the limits of ${plan.name}`} />
    </Card>
  )
}
