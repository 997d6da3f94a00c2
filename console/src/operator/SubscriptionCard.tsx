import type { BillingStatus } from '@turnpike/contract'
import { intervalName, perInterval } from '../format/interval.ts'
import { Banner } from '../ui/Banner.tsx'
import { Card, Facts } from '../ui/Card.tsx'
import { Id } from '../ui/Id.tsx'
import { Instant, Period } from '../ui/Instant.tsx'
import { Money } from '../ui/Money.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { SubscriptionCommands } from './SubscriptionCommands.tsx'

/** The subscription as we hold it, with what is about to happen to it. */
export function SubscriptionCard({ status }: { status: BillingStatus }) {
  const { subscription, pendingChange, paymentProblem, pendingSync } = status
  return (
    <Card
      title={`${status.plan.name}, version ${status.plan.version}`}
      aside={<StatusTag group="subscription" state={status.status} />}
    >
      {paymentProblem ? (
        <Banner
          tone="danger"
          title={paymentProblem.kind === 'payment_failed' ? 'A payment failed' : 'A payment needs confirmation'}
        >
          Since <Instant at={paymentProblem.since} distance />.
        </Banner>
      ) : null}
      {pendingSync ? (
        <Banner tone="info" title="Waiting for the provider">
          Since <Instant at={pendingSync.since} distance />, <Id value={pendingSync.checkoutId} label="checkout id" />
        </Banner>
      ) : null}
      {pendingChange ? (
        <Banner
          tone="warning"
          title={
            pendingChange.kind === 'cancellation'
              ? 'Cancellation scheduled'
              : pendingChange.kind === 'payment_required'
                ? 'A change waits for its payment'
                : 'Change scheduled'
          }
        >
          {pendingChange.to ? `To ${pendingChange.to.name}` : 'Ends'}
          {pendingChange.interval ? `, ${intervalName(pendingChange.interval).toLowerCase()}` : ''} on{' '}
          <Instant at={pendingChange.effectiveAt} distance />.
        </Banner>
      ) : null}
      <Facts
        facts={[
          status.amount && status.interval
            ? [
                'Price',
                <span key="price">
                  <Money value={status.amount} explicit /> {perInterval(status.interval)}
                </span>,
              ]
            : ['Price', 'none'],
          status.seats ? ['Seats', `${status.seats.held} held, ${status.seats.included} included`] : null,
          status.period ? ['Period', <Period key="period" value={status.period} />] : null,
          status.trialEndsAt ? ['Trial ends', <Instant key="trial" at={status.trialEndsAt} distance />] : null,
          status.renewsAt ? ['Renews', <Instant key="renews" at={status.renewsAt} distance />] : null,
          status.endsAt ? ['Ends', <Instant key="ends" at={status.endsAt} distance />] : null,
          subscription ? ['Subscription', <Id key="id" value={subscription.id} label="subscription id" />] : null,
          subscription
            ? [
                'At the provider',
                <Id key="provider" value={subscription.providerSubscriptionId} label="provider subscription id" />,
              ]
            : null,
          subscription ? ['Changed', <Instant key="changed" at={subscription.updatedAt} distance />] : null,
          status.resumesAt ? ['Goes on', <Instant key="resumes" at={status.resumesAt} distance />] : null,
          subscription && subscription.addOns.length > 0
            ? [
                'Add-ons',
                subscription.addOns
                  .map(({ addOn, quantity }) => `${quantity} × ${addOn.replaceAll('_', ' ')}`)
                  .join(', '),
              ]
            : null,
        ]}
      />
      <SubscriptionCommands status={status} />
    </Card>
  )
}
