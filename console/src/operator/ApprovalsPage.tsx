import { useApi } from '../api/api.ts'
import { useMay } from '../api/session.tsx'
import { Card } from '../ui/Card.tsx'
import { Page } from '../ui/Page.tsx'
import { Empty, StateBlock } from '../ui/StateBlock.tsx'
import { CreditItem } from './CreditItem.tsx'
import { MoneyBackItem } from './MoneyBackItem.tsx'
import { OverrideItem } from './OverrideItem.tsx'
import styles from './Overrides.module.css'

/** What somebody has asked for and a second person decides (ENT-2, INV-4). */
export function ApprovalsPage() {
  const mayCredit = useMay('billing:credits:write')
  const waiting = useApi('listWaitingOverrides', {}, { refetchInterval: 5_000 })
  return (
    <Page title="Approvals" lead="What waits for a second person, the next exceptions to lapse first.">
      {useMay('billing:invoices:read') ? <MoneyBack /> : null}
      <StateBlock
        what="what waits"
        reading={waiting}
        lines={6}
        empty={({ data }) =>
          data.length === 0 ? (
            <Empty title="No exception waits for approval">
              Overrides that policy wants two people for appear here, and stay with their customer afterwards.
            </Empty>
          ) : null
        }
      >
        {({ data }) => (
          <Card title={`${data.length} ${data.length === 1 ? 'exception waits' : 'exceptions wait'}`}>
            <ul className={styles.list}>
              {data.map((override) => (
                <OverrideItem key={override.id} override={override} showTenant />
              ))}
            </ul>
          </Card>
        )}
      </StateBlock>
      {mayCredit ? <WaitingCredit /> : null}
    </Page>
  )
}

/** Credit above what one person may grant (INV-4). */
function WaitingCredit() {
  const waiting = useApi('listWaitingCreditGrants', {}, { refetchInterval: 5_000 })
  return (
    <StateBlock what="credit that waits" reading={waiting} lines={2}>
      {({ data }) =>
        data.length === 0 ? null : (
          <Card title={`Credit: ${data.length} ${data.length === 1 ? 'waits' : 'wait'}`}>
            <ul className={styles.list}>
              {data.map((grant) => (
                <CreditItem key={grant.id} grant={grant} showTenant />
              ))}
            </ul>
          </Card>
        )
      }
    </StateBlock>
  )
}

function MoneyBack() {
  const query = { state: 'waiting_for_approval' as const, limit: 200 }
  const refunds = useApi('listRefunds', { query }, { refetchInterval: 5_000 })
  const notes = useApi('listCreditNotes', { query }, { refetchInterval: 5_000 })
  const count = (refunds.data?.data.length ?? 0) + (notes.data?.data.length ?? 0)
  return (
    <StateBlock
      what="refunds that wait"
      reading={refunds}
      lines={3}
      empty={() => (count === 0 ? <p className="dim">No refund or credit note waits for approval.</p> : null)}
    >
      {({ data }) => (
        <Card title="Refunds and credit notes">
          <ul className={styles.list}>
            {data.map((refund) => (
              <MoneyBackItem key={refund.id} kind="refund" request={refund} />
            ))}
            {(notes.data?.data ?? []).map((note) => (
              <MoneyBackItem key={note.id} kind="credit_note" request={note} />
            ))}
          </ul>
        </Card>
      )}
    </StateBlock>
  )
}
