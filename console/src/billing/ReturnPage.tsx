import { Button } from '@mantine/core'
import type { Checkout } from '@turnpike/contract'
import { describeProblem } from '../api/problem.ts'
import { useSession } from '../api/session.tsx'
import { useView } from '../search.ts'
import { Banner } from '../ui/Banner.tsx'
import { Card, Facts } from '../ui/Card.tsx'
import { Id } from '../ui/Id.tsx'
import { Instant } from '../ui/Instant.tsx'
import { ButtonLink, TextLink } from '../ui/Links.tsx'
import { Page } from '../ui/Page.tsx'
import { Empty, Loading, ProblemNote } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { checkoutWords } from './checkoutWords.ts'
import { EntitlementsOn } from './EntitlementsOn.tsx'
import { httpAddress } from './httpAddress.ts'
import { useCheckoutReturn } from './useCheckoutReturn.ts'

/**
 * Where the hosted page sends the customer back to. The address proves nothing: everything shown here is the server's own
 * state of the checkout, and the page can be visited again at any time (PAY-2).
 */
export function ReturnPage() {
  const [view] = useView()
  const id = view.checkout ?? ''
  if (!/^checkout_[0-9a-z]{26}$/.test(id)) return <Unknown />
  return <Return key={id} id={id} outcome={view.outcome === 'canceled' ? 'canceled' : 'returned'} />
}

function Unknown() {
  return (
    <Page title="Not found">
      <Empty title="No checkout is known under this address" action={<TextLink to="/billing">Go to billing</TextLink>}>
        Nothing was charged by opening this page.
      </Empty>
    </Page>
  )
}

function Return({ id, outcome }: { id: string; outcome: 'returned' | 'canceled' }) {
  const { checkout, error, waiting, checkNow } = useCheckoutReturn(id, outcome)
  if (!checkout) {
    const problem = error ? describeProblem(error) : null
    if (problem?.code === 'not_found') return <Unknown />
    return (
      <Page title="Your checkout">
        {problem ? <ProblemNote problem={problem} onRetry={checkNow} /> : <Loading what="your checkout" />}
      </Page>
    )
  }
  const words = checkoutWords(checkout, waiting === 'given_up')
  return (
    <Page title={words.title} documentTitle={`${words.title} · Checkout`}>
      {/* Always there and only its text changes, so that screen readers hear every change of state. */}
      <div role="status">
        <Banner tone={words.tone}>
          <span className="hidden">{words.title}. </span>
          {words.text}
        </Banner>
      </div>
      {error ? <ProblemNote problem={describeProblem(error)} onRetry={checkNow} /> : null}
      {waiting === 'given_up' ? (
        <div>
          <Button onClick={checkNow}>Check now</Button>
        </div>
      ) : null}
      <Ways checkout={checkout} />
      {checkout.state === 'completed' ? <EntitlementsOn checkout={checkout} /> : null}
      <Reference checkout={checkout} />
    </Page>
  )
}

/** What can be done from here; while the answer is open there is nothing to press but waiting. */
function Ways({ checkout }: { checkout: Checkout }) {
  const tenant = useCheckoutTenant(checkout)
  const address = httpAddress(checkout.sessionUrl)
  const plan = checkout.plan?.plan
  if (checkout.state === 'pending_sync' || checkout.state === 'opening') return null
  return (
    <div className="row">
      {checkout.state === 'open' && address ? (
        <Button component="a" href={address}>
          Go on with the checkout
        </Button>
      ) : null}
      {checkout.state === 'failed' || checkout.state === 'expired' || checkout.state === 'canceled' ? (
        <ButtonLink to="/billing/plans" search={{ ...tenant, ...(plan ? { plan } : {}) }}>
          Try again
        </ButtonLink>
      ) : null}
      <ButtonLink to="/billing" search={tenant} variant={checkout.state === 'completed' ? 'filled' : 'default'}>
        {checkout.state === 'completed' ? 'Continue to billing' : 'Back to billing'}
      </ButtonLink>
    </div>
  )
}

function Reference({ checkout }: { checkout: Checkout }) {
  const kinds = { checkout: 'Subscription', plan_change: 'Change of plan', purchase: 'Purchase', portal: 'Portal' }
  return (
    <Card title="For your records" aside={<StatusTag group="checkout" state={checkout.state} />}>
      <Facts
        facts={[
          ['Reference', <Id key="id" value={checkout.id} label="reference" full />],
          [
            'What',
            `${kinds[checkout.kind]}${checkout.plan ? `: ${checkout.plan.name}` : checkout.product ? `: ${checkout.product}` : ''}`,
          ],
          checkout.seats ? ['Seats', `${checkout.seats}`] : null,
          ['Opened', <Instant key="opened" at={checkout.openedAt} show="seconds" />],
          checkout.completedAt ? ['Completed', <Instant key="done" at={checkout.completedAt} show="seconds" />] : null,
        ]}
      />
    </Card>
  )
}

function useCheckoutTenant(checkout: Checkout): { tenantId?: string } {
  const session = useSession()
  return session.house && session.tenantId === null ? { tenantId: checkout.tenantId } : {}
}
