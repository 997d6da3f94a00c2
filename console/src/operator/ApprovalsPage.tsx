import { useApi } from '../api/api.ts'
import { useMay } from '../api/session.tsx'
import { Card } from '../ui/Card.tsx'
import { Page } from '../ui/Page.tsx'
import { Empty, StateBlock } from '../ui/StateBlock.tsx'
import { CreditItem } from './Credits.tsx'
import { OverrideItem } from './OverrideItem.tsx'
import styles from './Overrides.module.css'

/** What somebody has asked for and a second person decides (ENT-2). */
export function ApprovalsPage() {
  const mayCredit = useMay('billing:credits:write')
  const waiting = useApi('listWaitingOverrides', {}, { refetchInterval: 5_000 })
  return (
    <Page title="Approvals" lead="Exceptions that wait for a second person, the next to lapse first.">
      <StateBlock
        what="what waits"
        reading={waiting}
        lines={6}
        empty={({ data }) =>
          data.length === 0 ? (
            <Empty title="Nothing waits for approval">
              Overrides that policy wants two people for appear here, and stay with their customer afterwards.
            </Empty>
          ) : null
        }
      >
        {({ data }) => (
          <Card title={`${data.length} ${data.length === 1 ? 'waits' : 'wait'}`}>
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
