import { useApi } from '../api/api.ts'
import { Card } from '../ui/Card.tsx'
import { Page } from '../ui/Page.tsx'
import { Empty, StateBlock } from '../ui/StateBlock.tsx'
import { OverrideItem } from './OverrideItem.tsx'
import styles from './Overrides.module.css'

/** What somebody has asked for and a second person decides (ENT-2). */
export function ApprovalsPage() {
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
    </Page>
  )
}
