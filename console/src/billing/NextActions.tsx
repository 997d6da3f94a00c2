import { Button } from '@mantine/core'
import type { BillingStatus, NextAction } from '@turnpike/contract'
import { useMay } from '../api/session.tsx'
import { Card } from '../ui/Card.tsx'
import { ButtonLink } from '../ui/Links.tsx'
import { httpAddress } from './httpAddress.ts'
import styles from './NextActions.module.css'
import type { useHostedPage } from './useHostedPage.ts'
import { useTenant } from './useTenant.ts'

type Hosted = ReturnType<typeof useHostedPage>

type Props = {
  status: BillingStatus
  /** What the top of the page offers already. */
  said: NextAction['action'][]
  hosted: Hosted
}

/** What the server says can be done next, each with the one button that does it. */
export function NextActions({ status, said, hosted }: Props) {
  const rest = status.nextActions.filter(({ action }) => !said.includes(action))
  if (rest.length === 0) return null
  return (
    <Card title="What you can do">
      <ul className={styles.list}>
        {rest.map((next) => (
          <li key={next.action}>
            <span>{next.sentence}</span>
            <DoIt next={next} hosted={hosted} />
          </li>
        ))}
      </ul>
    </Card>
  )
}

const labels: Partial<Record<NextAction['action'], string>> = {
  choose_plan: 'See plans',
  upgrade_plan: 'Compare plans',
  resubscribe: 'See plans',
  finish_checkout: 'Go on',
  pay_invoice: 'Open invoice',
  update_payment_method: 'Update',
  preview_change: 'Look',
  resume: 'Resume',
  reduce_usage: 'See usage',
  export_data: 'Export',
  contact_owner: 'See owners',
}

/** Where the pages are that do these. */
const pages: Partial<Record<NextAction['action'], string>> = {
  preview_change: '/billing/change',
  resume: '/billing/subscription/resume',
  reduce_usage: '/billing/usage',
  export_data: '/billing/data',
  contact_owner: '/billing/people',
}

function DoIt({ next, hosted }: { next: NextAction; hosted: Hosted }) {
  const tenant = useTenant()
  const mayOpen = useMay('billing:session:create')
  const label = labels[next.action]
  const looks = { size: 'compact-md', variant: 'default', 'aria-label': `${label}: ${next.sentence}` } as const
  if (!label || !mayOpen) return null
  const address = httpAddress(next.url)
  if (address) {
    return (
      <Button component="a" href={address} {...looks}>
        {label}
      </Button>
    )
  }
  if (next.action === 'update_payment_method') {
    return (
      <Button {...looks} loading={hosted.opening === next.action} onClick={() => hosted.openPortal(next.action)}>
        {label}
      </Button>
    )
  }
  if (next.action === 'finish_checkout' || next.action === 'pay_invoice') return null
  return (
    <ButtonLink to={pages[next.action] ?? '/billing/plans'} search={tenant} {...looks}>
      {label}
    </ButtonLink>
  )
}
