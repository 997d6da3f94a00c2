import { Button } from '@mantine/core'
import type { BillingStatus } from '@turnpike/contract'
import { describeProblem } from '../api/problem.ts'
import { Banner } from '../ui/Banner.tsx'
import { ProblemNote } from '../ui/StateBlock.tsx'
import { httpAddress } from './httpAddress.ts'
import type { Choice } from './PlansPage.tsx'

type Props = {
  error: unknown
  choice: Choice
  status: BillingStatus | undefined
  busy: boolean
  onReplace: () => void
  onPortal: () => void
  onDismiss: () => void
}

/** Why no checkout was opened, with the way on where there is one. */
export function CheckoutProblem({ error, choice, status, busy, onReplace, onPortal, onDismiss }: Props) {
  const problem = describeProblem(error)
  if (problem.code === 'checkout_open') {
    const address = httpAddress(
      typeof problem.document.sessionUrl === 'string' ? problem.document.sessionUrl : status?.openCheckout?.sessionUrl,
    )
    return (
      <Banner
        announce
        tone="warning"
        title="Another checkout is still open"
        actions={
          <>
            {address ? (
              <Button component="a" href={address} size="compact-md">
                Go on with the open one
              </Button>
            ) : null}
            <Button size="compact-md" variant="default" onClick={onReplace} loading={busy}>
              End it and open {choice.offer.name}
            </Button>
          </>
        }
      >
        It is for a different selection. Nothing was charged for it yet, and only one can be open at a time.
      </Banner>
    )
  }
  if (problem.code === 'plan_already_held') {
    return (
      <Banner
        announce
        tone="info"
        title={`You have ${choice.offer.name} with this interval already`}
        actions={
          <>
            <Button size="compact-md" onClick={onPortal} loading={busy}>
              Open the portal
            </Button>
            <Button size="compact-md" variant="default" onClick={onDismiss}>
              Close
            </Button>
          </>
        }
      >
        Seats, payment method and invoices are changed in the portal of the payment provider.
      </Banner>
    )
  }
  return <ProblemNote problem={problem} />
}
