import { useApi } from '../api/api.ts'
import { useProviderState } from '../api/health.ts'
import { useMay } from '../api/session.tsx'
import { formatAge } from '../format/age.ts'
import { Card, Facts } from '../ui/Card.tsx'
import { Instant } from '../ui/Instant.tsx'
import { TextLink } from '../ui/Links.tsx'
import { Page } from '../ui/Page.tsx'
import { StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { CloseOfPeriods } from './CloseOfPeriods.tsx'
import { FindForm } from './FindForm.tsx'
import styles from './HomePage.module.css'
import { WaitingApprovals } from './WaitingApprovals.tsx'
import { WaitingCount } from './WaitingCount.tsx'

/** What needs somebody of the house, with the age of the oldest (UI-3). */
export function HomePage() {
  const sees = {
    customers: useMay('billing:timeline:read'),
    webhooks: useMay('billing:webhooks:read'),
    catalog: useMay('billing:catalog:read'),
    reconciliation: useMay('billing:reconciliation:read'),
    notices: useMay('billing:notices:read'),
    invoices: useMay('billing:invoices:read'),
  }
  return (
    <Page title="What needs you" wide>
      {sees.customers ? <FindForm /> : null}
      <div className={styles.columns}>
        <Provider />
        {sees.webhooks ? <Webhooks /> : null}
        {sees.reconciliation ? <Findings /> : null}
        {sees.invoices ? <CloseOfPeriods /> : null}
        <WaitingApprovals />
        {sees.notices ? <FailedNotices /> : null}
        {sees.catalog ? <Catalog /> : null}
      </div>
    </Page>
  )
}

function Provider() {
  const state = useProviderState()
  return (
    <Card title="Payment provider" aside={state.data ? <StatusTag group="circuit" state={state.data.circuit} /> : null}>
      <StateBlock what="the provider's state" reading={state} lines={2}>
        {({ circuit, retryAfterSeconds }) => (
          <p>
            {circuit === 'closed'
              ? 'It answers. Changes are carried out at once.'
              : circuit === 'half_open'
                ? 'It did not answer lately; the next request tries again.'
                : `It did not answer, so it is not asked for ${formatAge(retryAfterSeconds ?? 1)}. Checks go on; changes wait or are refused.`}
          </p>
        )}
      </StateBlock>
    </Card>
  )
}

function Findings() {
  const figures = useApi('getReconciliationFigures', {}, { refetchInterval: 5_000 })
  return (
    <Card title="Reconciliation" aside={<TextLink to="/operator/reconciliation">Runs and findings</TextLink>}>
      <StateBlock what="the findings" reading={figures} lines={2}>
        {({ data }) =>
          data.openFindings === 0 ? (
            <p>Nothing differs from the provider.</p>
          ) : (
            <>
              <WaitingCount count={data.openFindings} to="/operator/reconciliation">
                open {data.openFindings === 1 ? 'finding' : 'findings'}
              </WaitingCount>
              <ul className={styles.waiting}>
                {Object.entries(data.openBySeverity)
                  .filter(([, count]) => count > 0)
                  .map(([severity, count]) => (
                    <li key={severity}>
                      <StatusTag group="severity" state={severity} /> <span className="figures">{count}</span>
                    </li>
                  ))}
              </ul>
              {data.oldestOpenAt ? (
                <p className="small dim">
                  The oldest is open since <Instant at={data.oldestOpenAt} distance />.
                </p>
              ) : null}
            </>
          )
        }
      </StateBlock>
    </Card>
  )
}

const pageOfNotices = 100

function FailedNotices() {
  const failed = useApi(
    'listNotices',
    { query: { state: 'failed', limit: pageOfNotices } },
    { refetchInterval: 10_000 },
  )
  return (
    <Card title="Notices" aside={<TextLink to="/operator/notices">All notices</TextLink>}>
      <StateBlock
        what="failed notices"
        reading={failed}
        lines={2}
        empty={({ data }) => (data.length === 0 ? <p>No message failed.</p> : null)}
      >
        {({ data }) => (
          <>
            <WaitingCount
              count={data.length}
              more={data.length === pageOfNotices}
              to="/operator/notices"
              search={{ state: 'failed' }}
            >
              {data.length === 1 ? 'message failed' : 'messages failed'}
            </WaitingCount>
            {data[0] ? (
              <p className="small dim">
                The newest: “{data[0].subject}” to {data[0].tenantId}, <Instant at={data[0].createdAt} distance />.
              </p>
            ) : null}
          </>
        )}
      </StateBlock>
    </Card>
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
