import type { Customer, Export, OwnerTransfer } from '@turnpike/contract'
import { useApi } from '../api/api.ts'
import { useMay } from '../api/session.tsx'
import { Card } from '../ui/Card.tsx'
import { Instant } from '../ui/Instant.tsx'
import { TextLink } from '../ui/Links.tsx'
import { StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { Actor } from './Actor.tsx'
import styles from './Overrides.module.css'

/** Who answers for the customer's billing, and how that was handed over (CUS-3). */
export function People({ customer }: { customer: Customer }) {
  const params = { customerId: customer.id }
  const owners = useApi('listOwners', { params })
  const transfers = useApi('listOwnerTransfers', { params })
  return (
    <Card
      title="Billing owners"
      aside={
        <TextLink to="/billing/people" search={{ tenantId: customer.tenantId } as never}>
          Hand over
        </TextLink>
      }
    >
      <StateBlock
        what="the owners"
        reading={owners}
        lines={2}
        empty={({ data }) =>
          data.length === 0 ? <p className="dim">Nobody yet. Letters go to the billing address.</p> : null
        }
      >
        {({ data }) => (
          <ul className={styles.list}>
            {data.map((owner) => (
              <li key={owner.personId} className={styles.item}>
                <span>
                  <strong>{owner.name}</strong> <span className="dim">{owner.email}</span>
                </span>
                <span className="small dim">
                  Owner since <Instant at={owner.since} show="day" />
                </span>
              </li>
            ))}
          </ul>
        )}
      </StateBlock>
      <StateBlock
        what="the transfers"
        reading={transfers}
        lines={1}
        empty={({ data }) => (data.length === 0 ? <p className="small dim">Never handed over.</p> : null)}
      >
        {({ data }) => (
          <>
            <h3>Transfers</h3>
            <ul className={styles.list}>
              {data.slice(0, 5).map((transfer) => (
                <Transfer key={transfer.id} transfer={transfer} />
              ))}
            </ul>
          </>
        )}
      </StateBlock>
    </Card>
  )
}

function Transfer({ transfer }: { transfer: OwnerTransfer }) {
  return (
    <li className={styles.item}>
      <div className="row spread">
        <span>
          To <strong>{transfer.to.name}</strong> <span className="dim">{transfer.to.email}</span>
        </span>
        <StatusTag group="transfer" state={transfer.state} />
      </div>
      <span className="small dim">
        Asked for by <Actor actor={transfer.requestedBy} />, <Instant at={transfer.requestedAt} />
        {transfer.state === 'requested' ? (
          <>
            {' '}
            · open until <Instant at={transfer.expiresAt} distance />
          </>
        ) : transfer.endedAt ? (
          <>
            {' '}
            · ended <Instant at={transfer.endedAt} />
          </>
        ) : null}
      </span>
    </li>
  )
}

/** The archives that were made; making one is on the customer's own page, with what it holds. */
export function Exports({ customer }: { customer: Customer }) {
  const may = useMay('billing:exports:write')
  if (!may) return null
  return <ExportList customer={customer} />
}

function ExportList({ customer }: { customer: Customer }) {
  const archives = useApi('listExports', { params: { customerId: customer.id } })
  return (
    <Card
      title="Archives"
      aside={
        <TextLink to="/billing/data" search={{ tenantId: customer.tenantId } as never}>
          Make one
        </TextLink>
      }
    >
      <StateBlock
        what="the archives"
        reading={archives}
        lines={2}
        empty={({ data }) => (data.length === 0 ? <p className="dim">None was made.</p> : null)}
      >
        {({ data }) => (
          <ul className={styles.list}>
            {data.slice(0, 5).map((each) => (
              <Archive key={each.id} archive={each} />
            ))}
          </ul>
        )}
      </StateBlock>
    </Card>
  )
}

function Archive({ archive }: { archive: Export }) {
  return (
    <li className={styles.item}>
      <span>
        <Instant at={archive.createdAt} />, by <Actor actor={archive.requestedBy} />
      </span>
      <span className="small dim">
        {archive.downloads === 0 ? 'never fetched' : `fetched ${archive.downloads} times`}
        {archive.downloadUrl ? (
          <>
            {' '}
            · its link works until <Instant at={archive.expiresAt} distance />
          </>
        ) : (
          ' · its link has ended'
        )}
      </span>
    </li>
  )
}
