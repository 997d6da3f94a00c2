import { NativeSelect } from '@mantine/core'
import { type Finding, findingKindNames, findingStates, type ReconciliationFigures } from '@turnpike/contract'
import { useApi, useApiPages } from '../api/api.ts'
import { formatAge } from '../format/age.ts'
import { words } from '../format/words.ts'
import { useView } from '../search.ts'
import { type Column, DataTable } from '../ui/DataTable.tsx'
import { FilterLinks } from '../ui/FilterLinks.tsx'
import { Instant } from '../ui/Instant.tsx'
import { TextLink } from '../ui/Links.tsx'
import { More } from '../ui/More.tsx'
import { Page } from '../ui/Page.tsx'
import { Empty, StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { Figures } from './Figures.tsx'
import { FindingDetail } from './FindingDetail.tsx'
import { Runs } from './Runs.tsx'
import { SidePanel } from './SidePanel.tsx'
import { TenantFilter } from './TenantFilter.tsx'

/** What differs from the provider, what is done about it, and how long that takes (REC-1 to REC-4, UI-3). */
export function ReconciliationPage() {
  const figures = useApi('getReconciliationFigures', {}, { refetchInterval: 5_000 })
  return (
    <Page
      title="Reconciliation"
      lead="Compares what is here with what is at the payment provider, in both directions."
      wide
    >
      <StateBlock what="the figures" reading={figures} lines={3}>
        {({ data }) => <FiguresOf figures={data} />}
      </StateBlock>
      <Runs />
      <Findings figures={figures.data?.data} />
    </Page>
  )
}

function FiguresOf({ figures }: { figures: ReconciliationFigures }) {
  const { openFindings, openBySeverity, oldestOpenAt, oldestOpenSeconds } = figures
  const severities = Object.entries(openBySeverity).filter(([, count]) => count > 0)
  return (
    <Figures
      figures={[
        {
          name: 'Open findings',
          value: openFindings,
          note: severities.map(([severity, count]) => `${count} ${severity}`).join(', ') || 'nothing differs',
        },
        {
          name: 'Oldest open',
          value: oldestOpenSeconds === null ? '–' : formatAge(oldestOpenSeconds),
          note: oldestOpenAt ? <Instant at={oldestOpenAt} /> : 'nothing is open',
        },
        {
          name: 'Drift, 30 days',
          value: figures.driftPerThousandCustomers.toFixed(1),
          note: 'findings per thousand customers',
        },
        {
          name: 'Time to correct',
          value: figures.medianSecondsToCorrect === null ? '–' : formatAge(figures.medianSecondsToCorrect),
          note: figures.medianSecondsToCorrect === null ? 'nothing was corrected in 30 days' : 'half take longer',
        },
        {
          name: 'Last full run',
          value: figures.lastFullRunFinishedAt ? <Instant at={figures.lastFullRunFinishedAt} show="day" /> : 'never',
          note: figures.lastRunFinishedAt ? (
            <>
              last of any kind <Instant at={figures.lastRunFinishedAt} />
            </>
          ) : (
            'no run has ended yet'
          ),
        },
      ]}
    />
  )
}

function Findings({ figures }: { figures: ReconciliationFigures | undefined }) {
  const [view, setView] = useView()
  // What needs somebody is what the page begins with; `all` is a choice like the others.
  const state = view.state === 'all' ? undefined : (findingStates.find((each) => each === view.state) ?? 'open')
  const kind = findingKindNames.find((each) => each === view.kind)
  const filtered = Boolean(kind || view.tenantId || view.state)
  const findings = useApiPages(
    'listFindings',
    {
      query: {
        ...(state ? { state } : {}),
        ...(kind ? { kind } : {}),
        ...(view.tenantId ? { tenantId: view.tenantId } : {}),
      },
    },
    { refetchInterval: 5_000 },
  )
  return (
    <section className="stack" aria-labelledby="findings">
      <h2 id="findings">Findings</h2>
      <div className="row" style={{ alignItems: 'flex-end' }}>
        <FilterLinks
          label="Filter by state"
          param="state"
          options={[
            { value: undefined, label: words.finding.open.word, count: figures?.openFindings },
            ...findingStates
              .filter((each) => each !== 'open')
              .map((each) => ({ value: each, label: words.finding[each].word })),
            { value: 'all', label: 'All' },
          ]}
        />
        <NativeSelect
          label="Kind"
          value={kind ?? ''}
          onChange={(event) => setView({ kind: event.currentTarget.value || undefined })}
          data={[
            { value: '', label: 'Every kind' },
            ...findingKindNames.map((each) => ({
              value: each,
              label: `${kindName(each)}${figures?.openByKind[each] ? ` (${figures.openByKind[each]} open)` : ''}`,
            })),
          ]}
        />
        <TenantFilter />
      </div>
      <StateBlock
        what="findings"
        reading={findings}
        lines={8}
        empty={({ pages }) =>
          pages.some(({ data }) => data.length > 0) ? null : filtered ? (
            <Empty
              title="No finding matches the filters"
              action={<TextLink to="/operator/reconciliation">Clear filters</TextLink>}
            />
          ) : (
            <Empty title="Nothing differs">What the next run finds appears here.</Empty>
          )
        }
      >
        {({ pages }) => (
          <>
            <DataTable
              caption="Findings, newest first"
              columns={columns(view)}
              rows={pages.flatMap(({ data }) => data)}
              rowKey={(finding) => finding.id}
              {...(view.finding ? { current: view.finding } : {})}
            />
            <More reading={findings} />
          </>
        )}
      </StateBlock>
      <SidePanel
        opened={view.finding !== undefined}
        title="Finding"
        size={680}
        onClose={() => setView({ finding: undefined })}
      >
        {view.finding ? <FindingDetail key={view.finding} findingId={view.finding} /> : null}
      </SidePanel>
    </section>
  )
}

const kindName = (kind: string): string => {
  const text = kind.replaceAll('_', ' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

const columns = (view: Record<string, string | undefined>): Column<Finding>[] => [
  {
    title: 'What differs',
    cell: (finding) => (
      <TextLink to="/operator/reconciliation" search={{ ...view, finding: finding.id }} resetScroll={false}>
        {finding.meaning}
      </TextLink>
    ),
  },
  { title: 'Severity', cell: (finding) => <StatusTag group="severity" state={finding.severity} /> },
  { title: 'State', cell: (finding) => <StatusTag group="finding" state={finding.state} /> },
  { title: 'Tenant', cell: (finding) => finding.tenantId ?? <span className="dim">nobody’s</span> },
  {
    title: 'Age',
    figures: true,
    cell: (finding) => <span title={finding.firstSeenAt}>{formatAge(finding.ageSeconds)}</span>,
  },
  { title: 'Proposed repair', cell: (finding) => finding.repairMeaning },
]
