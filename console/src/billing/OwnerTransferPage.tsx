import { Button } from '@mantine/core'
import { useParams } from '@tanstack/react-router'
import { useApiChange } from '../api/api.ts'
import { letterToken } from '../api/credential.ts'
import { describeProblem } from '../api/problem.ts'
import { useSession } from '../api/session.tsx'
import { Banner } from '../ui/Banner.tsx'
import { Card } from '../ui/Card.tsx'
import { ButtonLink } from '../ui/Links.tsx'
import { Page } from '../ui/Page.tsx'
import { Empty, ProblemNote } from '../ui/StateBlock.tsx'

/** Where the letter to a new billing owner leads: yes or no, with the token that only the letter has (CUS-3). */
export function OwnerTransferPage() {
  const { transferId = '' } = useParams({ strict: false }) as { transferId?: string }
  const session = useSession()
  const confirm = useApiChange('confirmOwnerTransfer')
  const decline = useApiChange('declineOwnerTransfer')
  const token = letterToken(transferId)
  const answer = (confirm.data ?? decline.data)?.data
  if (answer) {
    const accepted = answer.state === 'confirmed'
    const title = accepted ? 'You are billing owner now' : 'You have declined'
    return (
      <Page key="answered" title={title}>
        <div role="status">
          <Banner tone={accepted ? 'ok' : 'neutral'}>
            {accepted
              ? 'From now on you are asked and told about billing. What you may do here is decided by your role in the product.'
              : 'Nothing was changed. Whoever asked you can see your answer.'}
          </Banner>
        </div>
        <div className="row">
          <ButtonLink to="/billing">Go to billing</ButtonLink>
          {accepted ? (
            <ButtonLink to="/billing/people" variant="default">
              See the owners
            </ButtonLink>
          ) : null}
        </div>
      </Page>
    )
  }
  if (!token)
    return (
      <Page title="Become billing owner">
        <Empty title="Open the link of the letter">
          This page works only by the whole link that was sent to you. Nothing was changed by opening it.
        </Empty>
      </Page>
    )
  const busy = confirm.isPending || decline.isPending
  const error = confirm.error ?? decline.error
  const send = (change: typeof confirm | typeof decline) => {
    confirm.reset()
    decline.reset()
    change.mutate({ params: { transferId }, body: { token } })
  }
  return (
    <Page title="Become billing owner" lead="Somebody asks you to be the billing owner of your team's account.">
      <Card title="What it means">
        <ul className="stack" style={{ '--gap': '8px' } as React.CSSProperties}>
          <li>
            You are asked and told about everything that has to do with money: invoices, failed payments, changes.
          </li>
          <li>If somebody hands over to you, bills and letters go to your address from then on.</li>
          <li>It costs nothing, changes no plan, and you can hand it on at any time.</li>
        </ul>
        <p className="small dim">You are signed in as {session.name}.</p>
      </Card>
      {error ? <ProblemNote problem={describeProblem(error)} /> : null}
      <div className="row">
        <Button loading={confirm.isPending} disabled={busy} onClick={() => send(confirm)}>
          Become billing owner
        </Button>
        <Button variant="default" loading={decline.isPending} disabled={busy} onClick={() => send(decline)}>
          Decline
        </Button>
      </div>
    </Page>
  )
}
