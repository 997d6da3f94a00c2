import { Button } from '@mantine/core'
import type { Customer } from '@turnpike/contract'
import { useState } from 'react'
import { useApi, useApiPages } from '../api/api.ts'
import { useMay } from '../api/session.tsx'
import { Card, Facts } from '../ui/Card.tsx'
import { DataTable } from '../ui/DataTable.tsx'
import { Instant } from '../ui/Instant.tsx'
import { Money } from '../ui/Money.tsx'
import { More } from '../ui/More.tsx'
import { StateBlock } from '../ui/StateBlock.tsx'
import { Actor } from './Actor.tsx'
import { CreditForm } from './CreditForm.tsx'
import { CreditItem } from './CreditItem.tsx'
import styles from './Overrides.module.css'

/** The prepaid credit of a customer, what was granted, and the ledger behind it (INV-3, INV-4). */
export function Credits({ customer: { tenantId, currency } }: { customer: Customer }) {
  const mayWrite = useMay('billing:credits:write')
  const credits = useApi('getCredits', { query: { tenantId } })
  const grants = useApiPages('listCreditGrants', { query: { tenantId } })
  const [granting, setGranting] = useState(false)
  const [ledger, setLedger] = useState(false)
  const available = credits.data?.data.balances.find((balance) => balance.currency === currency)?.available
  return (
    <Card
      title="Credit"
      aside={
        mayWrite && !granting ? (
          <Button size="compact-md" variant="default" onClick={() => setGranting(true)}>
            Grant credit
          </Button>
        ) : null
      }
    >
      {granting ? (
        <CreditForm
          tenantId={tenantId}
          currency={currency}
          before={available?.amountMinor ?? '0'}
          onClose={() => setGranting(false)}
        />
      ) : null}
      <StateBlock
        what="credit"
        reading={credits}
        lines={2}
        empty={({ data }) => (data.balances.length === 0 ? <p className="dim">No credit.</p> : null)}
      >
        {({ data }) =>
          data.balances.map((balance) => (
            <Facts
              key={balance.currency}
              facts={[
                ['Usable', <Money key="available" value={balance.available} explicit />],
                ['Bought', <Money key="paid" value={balance.paid} />],
                ['Given', <Money key="given" value={balance.promotional} />],
                ['Burnt', <Money key="burnt" value={balance.burnt} />],
                ['Ended', <Money key="ended" value={balance.expired} />],
                ['To be refunded', <Money key="refunded" value={balance.refunded} />],
              ]}
            />
          ))
        }
      </StateBlock>
      {grants.data ? (
        <ul className={styles.list}>
          {grants.data.pages
            .flatMap((page) => page.data)
            .map((grant) => (
              <CreditItem key={grant.id} grant={grant} />
            ))}
        </ul>
      ) : null}
      <More reading={grants} />
      <div>
        <Button size="compact-md" variant="default" aria-expanded={ledger} onClick={() => setLedger(!ledger)}>
          {ledger ? 'Hide the ledger' : 'Show the ledger'}
        </Button>
      </div>
      {ledger ? <Ledger tenantId={tenantId} /> : null}
    </Card>
  )
}

const accountWords: Record<string, string> = {
  credit: 'Credit',
  funding_paid: 'Came from payment',
  funding_promotional: 'Came from the house',
  revenue: 'Paid for usage',
  breakage: 'Ended unused',
  refunded: 'To be refunded',
}

function Ledger({ tenantId }: { tenantId: string }) {
  const entries = useApiPages('listLedgerEntries', { query: { tenantId } })
  return (
    <StateBlock what="the ledger" reading={entries}>
      {({ pages }) => (
        <>
          <DataTable
            caption="The ledger, newest first: entries of one movement sum to zero"
            rows={pages.flatMap((page) => page.data)}
            rowKey={(entry) => entry.number}
            columns={[
              { title: 'When', cell: (entry) => <Instant at={entry.at} /> },
              { title: 'Movement', cell: (entry) => entry.kind.replaceAll('_', ' ') },
              { title: 'Account', cell: (entry) => accountWords[entry.account] ?? entry.account },
              { title: 'Amount', cell: (entry) => <Money value={entry.amount} />, figures: true },
              { title: 'By', cell: (entry) => <Actor actor={entry.actor} /> },
            ]}
          />
          <More reading={entries} />
        </>
      )}
    </StateBlock>
  )
}
