import type { InboxEntry } from '@turnpike/contract'
import { useApi, useApiPages } from '../api/api.ts'
import { useMay } from '../api/session.tsx'
import { formatDistance } from '../format/dates.ts'
import { words } from '../format/words.ts'
import { useView } from '../search.ts'
import { type Column, DataTable } from '../ui/DataTable.tsx'
import { FilterLinks } from '../ui/FilterLinks.tsx'
import { Instant, useNow } from '../ui/Instant.tsx'
import { ButtonLink, TextLink } from '../ui/Links.tsx'
import { More } from '../ui/More.tsx'
import { Page } from '../ui/Page.tsx'
import { Empty, StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { ReplayForm } from './ReplayForm.tsx'
import { SidePanel } from './SidePanel.tsx'
import { WebhookDetail } from './WebhookDetail.tsx'

const states = ['pending', 'retrying', 'dead', 'applied', 'ignored'] as const

/** The webhook inbox: what came in, what became of it, and once more (WEB-5, UI-3). */
export function WebhooksPage() {
  const [view, setView] = useView()
  const state = states.find((each) => each === view.state)
  const query = { ...(state ? { state } : {}), ...(view.tenantId ? { tenantId: view.tenantId } : {}) }
  const counts = useApi('countWebhooks', {}, { refetchInterval: 5_000 })
  const inbox = useApiPages('listWebhooks', { query }, { refetchInterval: 5_000 })
  const entries = inbox.data?.pages.flatMap(({ data }) => data) ?? []
  const mayReplay = useMay('billing:webhooks:replay')
  const count = (each: string) => counts.data?.data.counts[each]

  return (
    <Page
      title="Webhook inbox"
      wide
      aside={
        mayReplay ? (
          <ButtonLink
            to="/operator/webhooks"
            search={{ ...view, replay: 'some', webhook: undefined } as never}
            resetScroll={false}
            variant="default"
          >
            Replay several …
          </ButtonLink>
        ) : null
      }
    >
      <FilterLinks
        label="Filter by state"
        param="state"
        options={[
          { value: undefined, label: 'All' },
          ...states.map((each) => ({ value: each, label: words.webhook[each].word, count: count(each) })),
        ]}
      />
      {counts.data?.data.oldestPendingAt ? (
        <p className="small dim">
          The oldest that waits came in at <Instant at={counts.data.data.oldestPendingAt} show="seconds" distance />.
        </p>
      ) : null}
      {view.tenantId ? (
        <p>
          Only of tenant <strong>{view.tenantId}</strong>.{' '}
          <TextLink to="/operator/webhooks" search={{ state }}>
            Show all tenants
          </TextLink>
        </p>
      ) : null}
      <StateBlock
        what="webhooks"
        reading={inbox}
        lines={10}
        empty={({ pages }) =>
          pages.some(({ data }) => data.length > 0) ? null : state || view.tenantId ? (
            <Empty
              title={`No webhook is ${state ? words.webhook[state].word.toLowerCase() : 'here for this tenant'}`}
              action={<TextLink to="/operator/webhooks">Clear filters</TextLink>}
            />
          ) : (
            <Empty title="No webhook came in yet">The first one appears with the first checkout.</Empty>
          )
        }
      >
        {() => (
          <>
            <DataTable
              caption="Webhooks, newest first"
              columns={columns(view)}
              rows={entries}
              rowKey={(entry) => entry.id}
              {...(view.webhook ? { current: view.webhook } : {})}
            />
            <More reading={inbox} />
          </>
        )}
      </StateBlock>
      <SidePanel
        opened={view.webhook !== undefined}
        title={entries.find((entry) => entry.id === view.webhook)?.type ?? 'Webhook'}
        onClose={() => setView({ webhook: undefined })}
      >
        {view.webhook ? <WebhookDetail key={view.webhook} webhookId={view.webhook} /> : null}
      </SidePanel>
      <SidePanel
        opened={mayReplay && view.replay !== undefined && view.webhook === undefined}
        title="Replay several webhooks"
        onClose={() => setView({ replay: undefined })}
      >
        <ReplayForm />
      </SidePanel>
    </Page>
  )
}

const columns = (view: Record<string, string | undefined>): Column<InboxEntry>[] => [
  {
    title: 'Type',
    cell: (entry) => (
      <TextLink to="/operator/webhooks" search={{ ...view, webhook: entry.id }} resetScroll={false}>
        {entry.type}
      </TextLink>
    ),
  },
  { title: 'State', cell: (entry) => <StatusTag group="webhook" state={entry.state} /> },
  {
    title: 'Customer',
    cell: (entry) => entry.tenantId ?? <span className="dim">unknown</span>,
  },
  { title: 'Received', cell: (entry) => <Instant at={entry.receivedAt} show="seconds" /> },
  { title: 'Tries', figures: true, cell: (entry) => entry.attempts },
  { title: 'Outcome', cell: (entry) => <Outcome entry={entry} /> },
]

function Outcome({ entry }: { entry: InboxEntry }) {
  const now = useNow()
  if (entry.state === 'retrying' && entry.nextAttemptAt) return <>next try {formatDistance(entry.nextAttemptAt, now)}</>
  if (entry.state === 'dead') return <>{entry.lastError}</>
  if (!entry.outcome) return <span className="dim">none yet</span>
  return <>{entry.outcome.replaceAll('_', ' ')}</>
}
