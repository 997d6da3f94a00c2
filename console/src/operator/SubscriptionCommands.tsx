import type { BillingStatus } from '@turnpike/contract'
import { useMay } from '../api/session.tsx'
import { Banner } from '../ui/Banner.tsx'
import { Instant } from '../ui/Instant.tsx'
import { ButtonLink } from '../ui/Links.tsx'

/**
 * What can be asked of the subscription in its state. Each leads to the page that shows amounts, gains and losses before
 * anything is confirmed: the same one that the customer has (SUB-3, SUB-4).
 */
export function SubscriptionCommands({ status }: { status: BillingStatus }) {
  const may = useMay('billing:subscriptions:write')
  const { command, tenantId } = status
  const commands = commandsFor(status)
  return (
    <>
      {command ? (
        <Banner
          tone="info"
          title={
            command.state === 'queued'
              ? `Agreed, and waiting for the provider: ${command.action.replaceAll('_', ' ')}`
              : `Being worked on: ${command.action.replaceAll('_', ' ')}`
          }
        >
          Asked for <Instant at={command.requestedAt} distance />. Nothing else can be changed until it has settled.
        </Banner>
      ) : commands.length === 0 ? null : may ? (
        <nav aria-label="Change the subscription" className="row" style={{ '--gap': '8px' } as React.CSSProperties}>
          {commands.map(({ to, label }) => (
            <ButtonLink key={to} to={to} search={{ tenantId } as never} size="compact-md" variant="default">
              {label}
            </ButtonLink>
          ))}
        </nav>
      ) : (
        <p className="small dim">Your role cannot change subscriptions. Ask somebody in operations.</p>
      )}
    </>
  )
}

function commandsFor({ subscription, status, pendingChange }: BillingStatus): { to: string; label: string }[] {
  const change = { to: '/billing/change', label: 'Change plan, seats, add-ons …' }
  if (!subscription) return [{ to: '/billing/plans', label: 'Subscribe …' }]
  const page = (name: string, label: string) => ({ to: `/billing/subscription/${name}`, label })
  const cancel = page('cancel', 'Cancel …')
  if (status === 'canceled' || status === 'incomplete_expired') {
    return [{ to: '/billing/plans', label: 'Subscribe again …' }]
  }
  if (status === 'paused') return [page('resume', 'Resume …'), cancel]
  if (pendingChange?.kind === 'cancellation') return [page('keep', 'Undo the cancellation …')]
  if (pendingChange) return [page('undo-change', 'Undo the change …'), cancel]
  if (status === 'trialing') return [change, page('end-trial', 'End the trial …'), cancel]
  if (status === 'active') return [change, page('pause', 'Pause …'), cancel]
  return [cancel]
}
