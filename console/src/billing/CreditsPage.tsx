import type { Credits, Purchase } from '@turnpike/contract'
import { useApi, useApiPages } from '../api/api.ts'
import { useMay } from '../api/session.tsx'
import { Card, Facts } from '../ui/Card.tsx'
import { DataTable } from '../ui/DataTable.tsx'
import { Instant } from '../ui/Instant.tsx'
import { Money } from '../ui/Money.tsx'
import { More } from '../ui/More.tsx'
import { Page } from '../ui/Page.tsx'
import { Empty, StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { BudgetCard } from './BudgetCard.tsx'
import { NotAllowed } from './NotAllowed.tsx'
import { useTenant } from './useTenant.ts'

/** Prepaid credit, what was bought once, and what usage may cost (INV-3, INV-5). */
export function CreditsPage() {
  const may = useMay('billing:credits:read')
  return (
    <Page
      title="Credit and budget"
      documentTitle="Credit · Billing"
      lead="Credit pays what comes due before your payment method does. A budget tells you what usage costs."
    >
      {may ? (
        <>
          <Balance />
          <BudgetCard />
          <Grants />
          <Purchases />
        </>
      ) : (
        <NotAllowed what="see credit and budgets" />
      )}
    </Page>
  )
}

function Balance() {
  const tenant = useTenant()
  const credits = useApi('getCredits', { query: tenant })
  return (
    <Card title="Your credit">
      <StateBlock
        what="your credit"
        reading={credits}
        lines={3}
        empty={({ data }) => (data.balances.length === 0 ? <Empty title="You have no credit">{none}</Empty> : null)}
      >
        {({ data }) => data.balances.map((balance) => <Currency key={balance.currency} balance={balance} />)}
      </StateBlock>
    </Card>
  )
}
const none = 'Credit that you buy or are given appears here, with its end.'

function Currency({ balance }: { balance: Credits['balances'][number] }) {
  return (
    <Facts
      facts={[
        ['Usable now', <Money key="available" value={balance.available} explicit />],
        ['Bought', <Money key="paid" value={balance.paid} />],
        ['Given', <Money key="given" value={balance.promotional} />],
        [
          'Next end',
          balance.nextExpiry ? (
            <span key="end">
              <Money value={balance.nextExpiry.amount} /> on <Instant at={balance.nextExpiry.at} distance />
            </span>
          ) : (
            'none'
          ),
        ],
        ['Used so far', <Money key="burnt" value={balance.burnt} />],
      ]}
    />
  )
}

function Grants() {
  const tenant = useTenant()
  const grants = useApiPages('listCreditGrants', { query: tenant })
  return (
    <Card title="Where it came from">
      <StateBlock
        what="credit that you got"
        reading={grants}
        empty={({ pages }) => (pages[0]?.data.length === 0 ? <p className="dim">Nothing yet.</p> : null)}
      >
        {({ pages }) => (
          <DataTable
            caption="Credit, newest first"
            rows={pages.flatMap((page) => page.data)}
            rowKey={(grant) => grant.id}
            columns={[
              { title: 'For', cell: (grant) => grant.reason },
              { title: 'State', cell: (grant) => <StatusTag group="credit" state={grant.state} /> },
              { title: 'Amount', cell: (grant) => <Money value={grant.amount} />, figures: true },
              { title: 'Left', cell: (grant) => <Money value={grant.left} />, figures: true },
              {
                title: 'Ends',
                cell: (grant) => (grant.expiresAt ? <Instant at={grant.expiresAt} show="day" /> : 'never'),
              },
            ]}
          />
        )}
      </StateBlock>
      <More reading={grants} />
    </Card>
  )
}

function Purchases() {
  const tenant = useTenant()
  const purchases = useApiPages('listPurchases', { query: tenant })
  return (
    <Card title="Purchases">
      <StateBlock
        what="purchases"
        reading={purchases}
        empty={({ pages }) =>
          pages[0]?.data.length === 0 ? <p className="dim">You have bought nothing beside your plan.</p> : null
        }
      >
        {({ pages }) => (
          <DataTable<Purchase>
            caption="What you bought once, newest first"
            rows={pages.flatMap((page) => page.data)}
            rowKey={(purchase) => purchase.id}
            columns={[
              { title: 'What', cell: (purchase) => purchase.name },
              { title: 'When', cell: (purchase) => <Instant at={purchase.purchasedAt} /> },
              { title: 'Paid', cell: (purchase) => <Money value={purchase.amount} explicit />, figures: true },
              { title: 'Went back', cell: (purchase) => <WentBack purchase={purchase} />, figures: true },
            ]}
          />
        )}
      </StateBlock>
      <More reading={purchases} />
    </Card>
  )
}

/** What went back of a purchase, the credit that went with it, and what of it was used up by then. */
function WentBack({ purchase: { refunded, creditTaken, creditKept } }: { purchase: Purchase }) {
  if (refunded.amountMinor === '0') return '–'
  return (
    <>
      <Money value={refunded} />
      {creditTaken.amountMinor === '0' ? null : (
        <div className="dim">
          with <Money value={creditTaken} /> of credit
        </div>
      )}
      {creditKept.amountMinor === '0' ? null : (
        <div className="dim">
          <Money value={creditKept} /> were used before
        </div>
      )}
    </>
  )
}
