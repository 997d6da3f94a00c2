import { Button } from '@mantine/core'
import type { BillingStatus } from '@turnpike/contract'
import { useApi } from '../api/api.ts'
import { describeProblem } from '../api/problem.ts'
import { useMay } from '../api/session.tsx'
import { accessSentences } from '../format/words.ts'
import { Banner } from '../ui/Banner.tsx'
import { Card } from '../ui/Card.tsx'
import { Instant, useNow } from '../ui/Instant.tsx'
import { ButtonLink } from '../ui/Links.tsx'
import { Page } from '../ui/Page.tsx'
import { ProblemNote, StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { type Attention, attentionOf } from './attention.ts'
import { ExcessTable } from './Excess.tsx'
import { httpAddress } from './httpAddress.ts'
import { Messages } from './Messages.tsx'
import { NextActions } from './NextActions.tsx'
import styles from './OverviewPage.module.css'
import { PlanCard } from './PlanCard.tsx'
import { RetentionSteps } from './RetentionSteps.tsx'
import { TopMeters } from './TopMeters.tsx'
import { useHostedPage } from './useHostedPage.ts'
import { useTenant } from './useTenant.ts'

/** What the customer has, what it costs, what happens next and what needs them (UI-1). */
export function OverviewPage() {
  const tenant = useTenant()
  const status = useApi('getStatus', { query: tenant }, { refetchInterval: 15_000 })
  return (
    <Page title="Billing">
      <StateBlock what="your plan" reading={status} lines={8}>
        {({ data }) => <Overview status={data} />}
      </StateBlock>
    </Page>
  )
}

function Overview({ status }: { status: BillingStatus }) {
  const tenant = useTenant()
  const now = useNow()
  const hosted = useHostedPage()
  const usage = useApi('getUsage', { query: tenant })
  const attention = attentionOf(status, usage.data?.data.meters ?? [], now)
  const [first, ...others] = attention
  return (
    <>
      {first ? (
        <Banner
          tone={first.tone}
          title={first.title}
          actions={<AttentionAction attention={first} hosted={hosted} primary />}
        >
          {first.text}
        </Banner>
      ) : null}
      {others.length > 0 ? (
        <ul className={styles.others} aria-label="Also to know">
          {others.map((other) => (
            <li key={other.id}>
              <span>
                <strong>{other.title}.</strong> <span className="dim">{other.text}</span>
              </span>
              <AttentionAction attention={other} hosted={hosted} />
            </li>
          ))}
        </ul>
      ) : null}
      {hosted.error ? <ProblemNote problem={describeProblem(hosted.error)} /> : null}
      {status.remediation ? (
        <Card title={`To reduce for ${status.remediation.plan.name}`}>
          <ExcessTable items={status.remediation.items} caption="What is in use above the limits, as it is now" />
        </Card>
      ) : null}
      <PlanCard status={status} hosted={hosted} />
      {status.retention ? (
        <Card title="After the end of your plan">
          <RetentionSteps retention={status.retention} />
        </Card>
      ) : null}
      <div className={styles.columns}>
        <StateBlock what="usage" reading={usage} lines={6}>
          {({ data }) => <TopMeters usage={data} />}
        </StateBlock>
        <div className="stack">
          <Card title="Access" aside={<StatusTag group="access" state={status.accessLevel} />}>
            <p>
              {status.status === 'no_subscription'
                ? 'What the free plan includes works.'
                : accessSentences[status.accessLevel]}
            </p>
          </Card>
          <NextActions
            status={status}
            said={[...attention.flatMap(({ says }) => says), ...saidByPlanCard]}
            hosted={hosted}
          />
        </div>
      </div>
      <Messages />
      <p className="small dim">
        As of <Instant at={status.asOf} show="seconds" /> · entitlements version {status.snapshotVersion}
      </p>
    </>
  )
}

// The buttons at the plan and at what is scheduled do these already.
const saidByPlanCard = ['choose_plan', 'upgrade_plan', 'resubscribe', 'undo_change', 'undo_cancellation'] as const

type Hosted = ReturnType<typeof useHostedPage>

function AttentionAction({ attention, hosted, primary }: { attention: Attention; hosted: Hosted; primary?: boolean }) {
  const tenant = useTenant()
  const mayOpen = useMay('billing:session:create')
  const { action } = attention
  if (!action) return null
  const looks = { size: 'compact-md', variant: primary ? 'filled' : 'default' } as const
  if (action.does === 'page') {
    return (
      <ButtonLink to={action.address ?? '/billing'} search={tenant} {...looks}>
        {action.label}
      </ButtonLink>
    )
  }
  if (!mayOpen)
    return <span className="small">Only the billing owner, an administrator or a billing contact can do this.</span>
  if (action.does === 'return') {
    return (
      <ButtonLink to="/billing/return" search={{ ...tenant, checkout: action.address }} {...looks}>
        {action.label}
      </ButtonLink>
    )
  }
  const address = httpAddress(action.address)
  if (action.does === 'address' && address) {
    return (
      <Button component="a" href={address} {...looks}>
        {action.label}
      </Button>
    )
  }
  return (
    <Button {...looks} loading={hosted.opening === attention.id} onClick={() => hosted.openPortal(attention.id)}>
      {action.label}
    </Button>
  )
}
