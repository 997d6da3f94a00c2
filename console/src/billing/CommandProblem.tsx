import { Button } from '@mantine/core'
import type { BillingStatus, CommandPreview } from '@turnpike/contract'
import { describeProblem, type Problem } from '../api/problem.ts'
import { formatMoney } from '../format/money.ts'
import { Banner } from '../ui/Banner.tsx'
import { ButtonLink, TextLink } from '../ui/Links.tsx'
import { ProblemNote } from '../ui/StateBlock.tsx'
import { notAllowedWords } from './commandWords.ts'
import { ExcessTable } from './Excess.tsx'
import { httpAddress } from './httpAddress.ts'
import styles from './Review.module.css'
import type { useHostedPage } from './useHostedPage.ts'
import { useTenant } from './useTenant.ts'

type Props = {
  error: unknown
  hosted: ReturnType<typeof useHostedPage>
  /** The same once more: goes on with the same command where one was begun. */
  onAgain: () => void
  busy: boolean
  /** Opens the hosted page that asks for a payment method with this selection, where there is one. */
  onCheckout?: (() => void) | undefined
  /** What had been shown when the server found that it is out of date. */
  stale?: { was: CommandPreview; is: CommandPreview | undefined } | undefined
}

/** Why nothing was done, what holds meanwhile and the ways on. */
export function CommandProblem({ error, hosted, onAgain, busy, onCheckout, stale }: Props) {
  const tenant = useTenant()
  const problem = describeProblem(error)
  switch (problem.code) {
    case 'preview_stale':
      return (
        <Banner announce tone="warning" title="What would happen has changed since you looked">
          <p>Nothing was done. Below is what would happen now: look at it and confirm again.</p>
          {stale?.is ? <Compared was={stale.was} is={stale.is} /> : null}
        </Banner>
      )
    case 'payment_failed': {
      const invoice = addressIn(problem, 'invoiceUrl')
      const asks = problem.document.actionRequired === true
      return (
        <Banner
          announce
          tone="danger"
          title={asks ? 'Your bank asks you to confirm the payment' : 'The payment did not go through'}
          actions={
            <>
              {invoice ? (
                <Button component="a" href={invoice} size="compact-md">
                  {asks ? 'Confirm the payment' : 'Pay the invoice'}
                </Button>
              ) : null}
              <Button
                size="compact-md"
                variant="default"
                loading={hosted.opening === 'method'}
                onClick={() => hosted.openPortal('method')}
              >
                Update payment method
              </Button>
              {asks ? null : (
                <Button size="compact-md" variant="default" onClick={onAgain} loading={busy}>
                  Look again
                </Button>
              )}
            </>
          }
        >
          Nothing was changed: what you have today stays in force.
        </Banner>
      )
    }
    case 'payment_method_required':
      return (
        <Banner
          announce
          tone="warning"
          title="No payment method is on file"
          actions={
            <Button
              size="compact-md"
              loading={hosted.opening !== null}
              onClick={onCheckout ?? (() => hosted.openPortal('method'))}
            >
              {onCheckout ? 'Enter one and subscribe' : 'Add a payment method'}
            </Button>
          }
        >
          Nothing was done and nothing charged. The payment provider's page asks for one.
        </Banner>
      )
    case 'downgrade_blocked': {
      const items = problem.document.guardrails
      return (
        <div className="stack">
          <Banner announce tone="danger" title="You use more than this plan allows">
            Nothing was done. Reduce what is listed, then try again.
          </Banner>
          {Array.isArray(items) ? (
            <ExcessTable
              items={items as NonNullable<BillingStatus['remediation']>['items']}
              caption="What is in use above the limits of the wanted plan"
            />
          ) : null}
        </div>
      )
    }
    case 'nothing_to_change':
      return (
        <Banner tone="neutral" title="These are your terms already">
          Choose another plan, interval, number of seats or add-on to see what it would cost.
        </Banner>
      )
    case 'change_under_way':
      return (
        <Banner
          announce
          tone="info"
          title="Another change is being worked on"
          actions={
            <Button size="compact-md" variant="default" onClick={onAgain} loading={busy}>
              Look again
            </Button>
          }
        >
          Only one change happens at a time.{' '}
          <TextLink to="/billing" search={tenant}>
            See how it goes
          </TextLink>
          .
        </Banner>
      )
    case 'checkout_open': {
      const address = addressIn(problem, 'sessionUrl')
      return (
        <Banner
          announce
          tone="warning"
          title="A checkout is still open"
          actions={
            address ? (
              <Button component="a" href={address} size="compact-md">
                Go on with it
              </Button>
            ) : null
          }
        >
          Both could be paid, so finish or end that one first. Nothing was charged for it yet.
        </Banner>
      )
    }
    case 'command_not_allowed':
      return (
        <Banner
          announce
          tone="warning"
          title="Not possible now"
          actions={
            <ButtonLink to="/billing" search={tenant} size="compact-md" variant="default">
              Back to billing
            </ButtonLink>
          }
        >
          {notAllowedWords[String(problem.document.reason)] ?? problem.detail}
        </Banner>
      )
    default:
      return <ProblemNote problem={problem} onRetry={onAgain} busy={busy} />
  }
}

function Compared({ was, is }: { was: CommandPreview; is: CommandPreview }) {
  const due = (preview: CommandPreview) =>
    preview.dueNow ? formatMoney(preview.dueNow.amountDue, { explicit: true }) : 'nothing'
  return (
    <p className={styles.compare}>
      <span>
        Due when you looked: <s>{due(was)}</s>
      </span>
      <span>
        Due now: <strong>{due(is)}</strong>
      </span>
    </p>
  )
}

function addressIn(problem: Problem, field: string): string | null {
  const value = problem.document[field]
  return typeof value === 'string' ? httpAddress(value) : null
}
