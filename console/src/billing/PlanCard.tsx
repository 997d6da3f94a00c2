import { Button } from '@mantine/core'
import type { BillingStatus } from '@turnpike/contract'
import type { ReactNode } from 'react'
import { useMay } from '../api/session.tsx'
import { intervalName, perInterval } from '../format/interval.ts'
import { plural } from '../format/quantity.ts'
import { Card, Facts } from '../ui/Card.tsx'
import { Instant, Period } from '../ui/Instant.tsx'
import { ButtonLink } from '../ui/Links.tsx'
import { Money } from '../ui/Money.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import styles from './PlanCard.module.css'
import type { useHostedPage } from './useHostedPage.ts'
import { useTenant } from './useTenant.ts'

/** The plan, the price that is really charged, and what happens to it next. */
export function PlanCard({ status, hosted }: { status: BillingStatus; hosted: ReturnType<typeof useHostedPage> }) {
  const tenant = useTenant()
  const mayChange = useMay('billing:session:create')
  return (
    <Card title="Your plan" hideTitle>
      <div className={styles.head}>
        <div className={styles.plan}>
          <p className={styles.name}>
            {status.plan.name} <StatusTag group="subscription" state={status.status} />
          </p>
          <Price status={status} />
        </div>
        {mayChange ? (
          <div className={styles.actions}>
            <ButtonLink to="/billing/plans" search={tenant}>
              {status.subscription ? 'Change plan' : 'Choose a plan'}
            </ButtonLink>
            {status.subscription ? (
              <Button
                variant="default"
                loading={hosted.opening === 'manage'}
                onClick={() => hosted.openPortal('manage')}
              >
                Invoices, payment method, cancel
              </Button>
            ) : null}
          </div>
        ) : null}
      </div>
      <Facts facts={factsOf(status)} />
      {status.pendingChange ? <PendingChange status={status} hosted={hosted} mayChange={mayChange} /> : null}
      {mayChange ? null : (
        <p className="small dim">Only the billing owner, an administrator or a billing contact can change the plan.</p>
      )}
    </Card>
  )
}

function Price({ status: { amount, interval, subscription, seats } }: { status: BillingStatus }) {
  if (!amount || !interval) return <p className="dim">{subscription ? 'No fixed price' : 'Free of charge'}</p>
  return (
    <p className={styles.price}>
      <strong>
        <Money value={amount} explicit />
      </strong>{' '}
      <span className="dim">
        {perInterval(interval)}
        {seats && seats.held > 1 ? `, ${seats.held} seats` : ''}, before tax
      </span>
    </p>
  )
}

function factsOf(status: BillingStatus): ([string, ReactNode] | null)[] {
  const { seats, period, trialEndsAt, renewsAt, endsAt, subscription, status: state } = status
  const onTrial = state === 'trialing' && trialEndsAt !== null
  return [
    onTrial ? ['Trial ends', <Instant key="trial" at={trialEndsAt} distance />] : null,
    endsAt ? [state === 'canceled' ? 'Ended' : 'Ends', <Instant key="end" at={endsAt} distance />] : null,
    renewsAt && !endsAt
      ? [onTrial ? 'First charge after trial' : 'Renews', <Instant key="renewal" at={renewsAt} distance={!onTrial} />]
      : null,
    period ? ['Current period', <Period key="period" value={period} />] : null,
    seats
      ? [
          'Seats',
          seats.max === null
            ? `${seats.held} ${plural(seats.held, 'seat')}, ${seats.included} included`
            : `${seats.held} of at most ${seats.max}, ${seats.included} included`,
        ]
      : null,
    subscription ? ['Customer since', <Instant key="since" at={subscription.startedAt} show="day" />] : null,
    subscription && subscription.addOns.length > 0
      ? [
          'Add-ons',
          subscription.addOns.map(({ addOn, quantity }) => `${quantity} × ${addOn.replaceAll('_', ' ')}`).join(', '),
        ]
      : null,
    ['Plan version', `${status.plan.version}`],
  ]
}

function PendingChange(props: { status: BillingStatus; hosted: ReturnType<typeof useHostedPage>; mayChange: boolean }) {
  const { pendingChange, plan } = props.status
  if (!pendingChange) return null
  const to = pendingChange.to?.name ?? 'the free plan'
  return (
    <div className={styles.pending}>
      <div>
        <h3>{pendingChange.kind === 'cancellation' ? 'Cancellation scheduled' : 'Change scheduled'}</h3>
        <p>
          {plan.name} → {to}
          {pendingChange.interval ? `, ${intervalName(pendingChange.interval).toLowerCase()}` : ''} on{' '}
          <Instant at={pendingChange.effectiveAt} />
        </p>
      </div>
      {props.mayChange && pendingChange.kind === 'plan_change' ? (
        <Button
          variant="default"
          size="compact-md"
          loading={props.hosted.opening === 'undo'}
          onClick={() => props.hosted.openPortal('undo')}
        >
          Undo in the portal
        </Button>
      ) : null}
    </div>
  )
}
