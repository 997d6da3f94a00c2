import { Button } from '@mantine/core'
import type { BillingStatus } from '@turnpike/contract'
import type { ReactNode } from 'react'
import { useMay } from '../api/session.tsx'
import { intervalName, perInterval } from '../format/interval.ts'
import { plural } from '../format/quantity.ts'
import { Card, Facts } from '../ui/Card.tsx'
import { Instant, Period } from '../ui/Instant.tsx'
import { ButtonLink, TextLink } from '../ui/Links.tsx'
import { Money } from '../ui/Money.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import styles from './PlanCard.module.css'
import { useAddOnName } from './useAddOnName.ts'
import type { useHostedPage } from './useHostedPage.ts'
import { useTenant } from './useTenant.ts'

/** The plan, the price that is really charged, and what happens to it next. */
export function PlanCard({ status, hosted }: { status: BillingStatus; hosted: ReturnType<typeof useHostedPage> }) {
  const tenant = useTenant()
  const mayChange = useMay('billing:session:create')
  const mayWrite = useMay('billing:subscriptions:write')
  const addOnName = useAddOnName()
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
                Invoices and payment method
              </Button>
            ) : null}
          </div>
        ) : null}
      </div>
      <Facts facts={factsOf(status, addOnName)} />
      {status.pendingChange ? <PendingChange status={status} mayChange={mayWrite} /> : null}
      {mayWrite && status.subscription ? <More status={status} /> : null}
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

function factsOf(status: BillingStatus, addOnName: (addOn: string) => string): ([string, ReactNode] | null)[] {
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
      ? ['Add-ons', subscription.addOns.map(({ addOn, quantity }) => `${quantity} × ${addOnName(addOn)}`).join(', ')]
      : null,
    ['Plan version', `${status.plan.version}`],
  ]
}

/** What is agreed and not yet in force, with the way to take it back. */
function PendingChange({ status, mayChange }: { status: BillingStatus; mayChange: boolean }) {
  const tenant = useTenant()
  const { pendingChange, plan } = status
  if (!pendingChange) return null
  const to = pendingChange.to?.name ?? 'the free plan'
  const undo =
    pendingChange.kind === 'cancellation'
      ? { to: '/billing/subscription/keep', label: `Keep ${plan.name}` }
      : { to: '/billing/subscription/undo-change', label: 'Take it back' }
  return (
    <div className={styles.pending}>
      <div>
        <h3>{titles[pendingChange.kind]}</h3>
        <p>
          {plan.name} → {to}
          {pendingChange.interval ? `, ${intervalName(pendingChange.interval).toLowerCase()}` : ''}
          {pendingChange.seats ? `, ${pendingChange.seats} ${plural(pendingChange.seats, 'seat')}` : ''}
          {pendingChange.kind === 'payment_required' ? ' once it is paid, until ' : ' on '}
          <Instant at={pendingChange.effectiveAt} />
        </p>
      </div>
      {mayChange ? (
        <ButtonLink to={undo.to} search={tenant} variant="default" size="compact-md">
          {undo.label}
        </ButtonLink>
      ) : null}
    </div>
  )
}

const titles = {
  plan_change: 'Change scheduled',
  cancellation: 'Cancellation scheduled',
  payment_required: 'Change waiting for its payment',
}

/** What else can be done with the plan, as plain links: also the way out. */
function More({ status: { status, endsAt, pendingChange } }: { status: BillingStatus }) {
  const tenant = useTenant()
  const link = (to: string, label: string) => (
    <li>
      <TextLink to={to} search={tenant}>
        {label}
      </TextLink>
    </li>
  )
  return (
    <ul className={styles.more} aria-label="More for this plan">
      {endsAt ? null : link('/billing/change', 'Seats and add-ons')}
      {status === 'trialing' ? link('/billing/subscription/end-trial', 'End the trial now') : null}
      {status === 'active' && !endsAt && !pendingChange ? link('/billing/subscription/pause', 'Pause') : null}
      {status === 'paused' ? link('/billing/subscription/resume', 'Resume') : null}
      {link('/billing/subscription/cancel', endsAt ? 'End it now' : 'Cancel plan')}
    </ul>
  )
}
