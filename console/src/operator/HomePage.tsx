import { useApi } from '../api/api.ts'
import { useMay } from '../api/session.tsx'
import { Card, Facts } from '../ui/Card.tsx'
import { Instant } from '../ui/Instant.tsx'
import { TextLink } from '../ui/Links.tsx'
import { Page } from '../ui/Page.tsx'
import { StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { FindForm } from './FindForm.tsx'
import styles from './HomePage.module.css'

/** What needs somebody of the house, with the age of the oldest (UI-3). */
export function HomePage() {
  const sees = {
    customers: useMay('billing:timeline:read'),
    webhooks: useMay('billing:webhooks:read'),
    catalog: useMay('billing:catalog:read'),
  }
  return (
    <Page title="What needs you" wide>
      {sees.customers ? <FindForm /> : null}
      <div className={styles.columns}>
        {sees.webhooks ? <Webhooks /> : null}
        {sees.catalog ? <Catalog /> : null}
      </div>
    </Page>
  )
}

function Webhooks() {
  const counts = useApi('countWebhooks', {}, { refetchInterval: 5_000 })
  return (
    <Card title="Webhooks" aside={<TextLink to="/operator/webhooks">Inbox</TextLink>}>
      <StateBlock what="webhook counts" reading={counts}>
        {({ data }) => {
          const count = (state: string) => data.counts[state] ?? 0
          const waits = count('dead') + count('retrying') + count('pending')
          return (
            <>
              {waits === 0 ? (
                <p>
                  Nothing waits.{' '}
                  <span className="dim">
                    Looked at {new Date(counts.dataUpdatedAt).toISOString().slice(11, 16)} UTC.
                  </span>
                </p>
              ) : (
                <ul className={styles.waiting}>
                  {(['dead', 'retrying', 'pending'] as const).map((state) =>
                    count(state) === 0 ? null : (
                      <li key={state}>
                        <TextLink to="/operator/webhooks" search={{ state }}>
                          <span className={styles.number}>{count(state)}</span>
                          <span className="hidden"> webhooks: </span>
                        </TextLink>
                        <StatusTag group="webhook" state={state} />
                        <span className="dim small">{explanations[state]}</span>
                      </li>
                    ),
                  )}
                </ul>
              )}
              {data.oldestPendingAt ? (
                <p className="small dim">
                  The oldest waits since <Instant at={data.oldestPendingAt} distance />.
                </p>
              ) : null}
              <Facts
                facts={[
                  ['Applied', `${count('applied')}`],
                  ['Ignored', `${count('ignored')}`],
                ]}
              />
            </>
          )
        }}
      </StateBlock>
    </Card>
  )
}

const explanations = {
  dead: 'gave up; look at the error and replay',
  retrying: 'failed and are tried again by themselves',
  pending: 'not worked on yet',
}

function Catalog() {
  const catalog = useApi('getCatalog', {})
  return (
    <Card title="Catalog" aside={<TextLink to="/operator/catalog">Plans and history</TextLink>}>
      <StateBlock what="the catalog" reading={catalog}>
        {({ data }) => (
          <Facts
            facts={[
              ['In force', `Version ${data.version}`],
              ['Applied', <Instant key="at" at={data.appliedAt} distance />],
              ['By', data.appliedBy],
              ['Plans', `${Object.keys(data.plans).length}`],
            ]}
          />
        )}
      </StateBlock>
    </Card>
  )
}
