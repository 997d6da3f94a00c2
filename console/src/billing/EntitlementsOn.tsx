import type { Checkout } from '@turnpike/contract'
import { useApi } from '../api/api.ts'
import { useSession } from '../api/session.tsx'
import { entitlementSentence } from '../format/entitlements.ts'
import { Card } from '../ui/Card.tsx'
import { Empty, StateBlock } from '../ui/StateBlock.tsx'
import { StatusIcon } from '../ui/StatusTag.tsx'
import styles from './EntitlementsOn.module.css'

/** What the customer may use from now on, read from the snapshot that the checkout made. */
export function EntitlementsOn({ checkout }: { checkout: Checkout }) {
  const session = useSession()
  const tenant = session.house && session.tenantId === null ? { tenantId: checkout.tenantId } : {}
  const snapshot = useApi('getEntitlements', { query: tenant })
  return (
    <Card
      title="On from now"
      aside={
        checkout.snapshotVersion === null ? null : (
          <span className="small dim">Entitlements version {checkout.snapshotVersion}</span>
        )
      }
    >
      <StateBlock
        what="entitlements"
        reading={snapshot}
        empty={({ data }) =>
          data.entitlements.some((entitlement) => entitlementSentence(entitlement) !== null) ? null : (
            <Empty title="This plan switches nothing on">Ask the product what it includes.</Empty>
          )
        }
      >
        {({ data }) => (
          <ul className={styles.list}>
            {data.entitlements.map((entitlement) => {
              const sentence = entitlementSentence(entitlement)
              return sentence === null ? null : (
                <li key={entitlement.feature}>
                  <span className={styles.icon}>
                    <StatusIcon icon="check" size={16} />
                  </span>
                  <span>
                    <strong>{entitlement.name}</strong>
                    <span className="dim"> {sentence}</span>
                  </span>
                </li>
              )
            })}
          </ul>
        )}
      </StateBlock>
    </Card>
  )
}
