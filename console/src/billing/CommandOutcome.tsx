import { Button } from '@mantine/core'
import type { CommandResult } from '@turnpike/contract'
import { Banner } from '../ui/Banner.tsx'
import { Card, Facts } from '../ui/Card.tsx'
import { Id } from '../ui/Id.tsx'
import { Instant } from '../ui/Instant.tsx'
import { ButtonLink } from '../ui/Links.tsx'
import { Page } from '../ui/Page.tsx'
import { outcomeWords } from './commandWords.ts'
import { httpAddress } from './httpAddress.ts'
import type { Wish } from './useSubscriptionCommand.ts'
import { useTenant } from './useTenant.ts'

/** What the server says has become of it: never more than its answer. */
export function CommandOutcome({ wish, result }: { wish: Wish; result: CommandResult }) {
  const tenant = useTenant()
  const { title, text, tone } = outcomeWords(wish, result)
  const { command, nextActions } = result
  const pay = httpAddress(nextActions.find(({ action }) => action === 'pay_invoice')?.url)
  const ended = wish.action === 'cancel'
  return (
    <Page title={title} documentTitle={`${title} · Billing`}>
      <div role="status">
        <Banner tone={tone}>
          <span className="hidden">{title}. </span>
          {text}
        </Banner>
      </div>
      <div className="row">
        {pay ? (
          <Button component="a" href={pay}>
            Pay the invoice
          </Button>
        ) : null}
        <ButtonLink to="/billing" search={tenant} variant={pay ? 'default' : 'filled'}>
          Continue to billing
        </ButtonLink>
        {ended ? (
          <ButtonLink to="/billing/data" search={tenant} variant="default">
            Export your data
          </ButtonLink>
        ) : null}
      </div>
      <Card title="For your records">
        <Facts
          facts={[
            ['Reference', <Id key="id" value={command.id} label="reference" full />],
            ['Asked for', <Instant key="asked" at={command.requestedAt} show="seconds" />],
            command.settledAt ? ['Done', <Instant key="done" at={command.settledAt} show="seconds" />] : null,
            ['In force from', <Instant key="from" at={command.effectiveAt} />],
          ]}
        />
      </Card>
    </Page>
  )
}
