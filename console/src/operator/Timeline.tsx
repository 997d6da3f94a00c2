import { Button } from '@mantine/core'
import type { Customer, TimelineEntry } from '@turnpike/contract'
import { useApi, useApiPages } from '../api/api.ts'
import { useMay } from '../api/session.tsx'
import { plural } from '../format/quantity.ts'
import { groupChains, kindWords, type TimelineKind, timelineKinds } from '../format/timeline.ts'
import { useView } from '../search.ts'
import { Card } from '../ui/Card.tsx'
import { More } from '../ui/More.tsx'
import { Empty, StateBlock } from '../ui/StateBlock.tsx'
import styles from './Timeline.module.css'
import { TimelineChain } from './TimelineChain.tsx'

/** Everything that happened to a customer, newest first, with cause and effect of one operation together. */
export function Timeline({ customer }: { customer: Customer }) {
  const mayRead = useMay('billing:timeline:read')
  if (!mayRead) {
    return (
      <Card title="Timeline">
        <p className="dim">Your role cannot see timelines. Ask somebody in support or operations.</p>
      </Card>
    )
  }
  return <Entries customer={customer} />
}

function Entries({ customer }: { customer: Customer }) {
  const [view, setView] = useView()
  const params = { customerId: customer.id }
  const timeline = useApiPages('getTimeline', { params })
  // Looked at beside the list, so that the list never moves under the reader's eyes.
  const newest = useApi('getTimeline', { params, query: { limit: 50 } }, { refetchInterval: 4_000 })
  const entries = timeline.data?.pages.flatMap(({ data }) => data) ?? []
  const shown = new Set(entries.map((entry) => entry.id))
  const fresh = timeline.data ? (newest.data?.data.filter((entry) => !shown.has(entry.id)).length ?? 0) : 0

  const kinds = (view.kinds ?? '').split(',').filter((kind): kind is TimelineKind => kind in kindWords)
  const kept = kinds.length === 0 ? entries : entries.filter((entry) => kinds.includes(entry.kind))

  return (
    <Card title="Timeline" aside={<span className="small dim">Newest first, times in UTC</span>}>
      <div className="row spread">
        <KindFilter entries={entries} kinds={kinds} onChange={(next) => setView({ kinds: next.join(',') })} />
        <div role="status">
          {fresh > 0 ? (
            <Button size="compact-md" radius="xl" onClick={() => timeline.refetch()} loading={timeline.isRefetching}>
              {fresh} new {plural(fresh, 'entry', 'entries')}
            </Button>
          ) : null}
        </div>
      </div>
      <StateBlock
        what="the timeline"
        reading={timeline}
        lines={12}
        empty={() =>
          entries.length === 0 ? (
            <Empty title="Nothing happened yet">The first checkout, webhook or decision appears here.</Empty>
          ) : kept.length === 0 ? (
            <Empty
              title="No loaded entry is of these kinds"
              action={
                <Button variant="default" size="compact-md" onClick={() => setView({ kinds: undefined })}>
                  Show all {entries.length}
                </Button>
              }
            />
          ) : null
        }
      >
        {() => (
          <ol className={styles.chains}>
            {groupChains(kept).map((chain) => (
              <TimelineChain key={chain.id} chain={chain} tenantId={customer.tenantId} />
            ))}
          </ol>
        )}
      </StateBlock>
      <More reading={timeline} />
    </Card>
  )
}

type FilterProps = { entries: TimelineEntry[]; kinds: TimelineKind[]; onChange: (kinds: TimelineKind[]) => void }

function KindFilter({ entries, kinds, onChange }: FilterProps) {
  return (
    <fieldset className={styles.filter}>
      <legend className="hidden">Show only</legend>
      {timelineKinds.map((kind) => {
        const count = entries.filter((entry) => entry.kind === kind).length
        const chosen = kinds.includes(kind)
        return (
          <button
            key={kind}
            type="button"
            className={styles.chip}
            aria-pressed={chosen}
            onClick={() => onChange(chosen ? kinds.filter((each) => each !== kind) : [...kinds, kind])}
          >
            {kindWords[kind]} <span className="figures">{count}</span>
          </button>
        )
      })}
    </fieldset>
  )
}
