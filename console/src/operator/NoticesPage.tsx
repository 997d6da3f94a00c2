import { NativeSelect } from '@mantine/core'
import { type Notice, noticeStates } from '@turnpike/contract'
import { useApi, useApiPages } from '../api/api.ts'
import { useMay } from '../api/session.tsx'
import { words } from '../format/words.ts'
import { useView } from '../search.ts'
import { type Column, DataTable } from '../ui/DataTable.tsx'
import { FilterLinks } from '../ui/FilterLinks.tsx'
import { Instant } from '../ui/Instant.tsx'
import { ButtonLink, TextLink } from '../ui/Links.tsx'
import { More } from '../ui/More.tsx'
import { Page } from '../ui/Page.tsx'
import { Empty, StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { NoticeDetail } from './NoticeDetail.tsx'
import { SidePanel } from './SidePanel.tsx'
import { TenantFilter } from './TenantFilter.tsx'

/** Every message to customers, how its mail went, and once more (DUN-2, UI-3). */
export function NoticesPage() {
  const [view, setView] = useView()
  const mayPreview = useMay('billing:notices:preview')
  const state = noticeStates.find((each) => each === view.state)
  const filtered = Boolean(state || view.kind || view.tenantId)
  const notices = useApiPages(
    'listNotices',
    {
      query: {
        ...(state ? { state } : {}),
        ...(view.kind ? { kind: view.kind } : {}),
        ...(view.tenantId ? { tenantId: view.tenantId } : {}),
      },
    },
    { refetchInterval: 5_000 },
  )
  return (
    <Page
      title="Notices"
      lead="Messages to customers, made once from what happened."
      wide
      aside={
        mayPreview ? (
          <ButtonLink to="/operator/notices/templates" variant="default">
            All templates
          </ButtonLink>
        ) : null
      }
    >
      <FilterLinks
        label="Filter by state"
        param="state"
        options={[
          { value: undefined, label: 'All' },
          ...noticeStates.map((each) => ({ value: each, label: words.notice[each].word })),
        ]}
      />
      <div className="row" style={{ alignItems: 'flex-end' }}>
        {mayPreview ? <KindFilter /> : null}
        <TenantFilter />
      </div>
      <StateBlock
        what="notices"
        reading={notices}
        lines={10}
        empty={({ pages }) =>
          pages.some(({ data }) => data.length > 0) ? null : filtered ? (
            <Empty
              title="No notice matches the filters"
              action={<TextLink to="/operator/notices">Clear filters</TextLink>}
            />
          ) : (
            <Empty title="No notice was made yet">The first trial, renewal or failed payment makes one.</Empty>
          )
        }
      >
        {({ pages }) => (
          <>
            <DataTable
              caption="Notices, newest first"
              columns={columns(view)}
              rows={pages.flatMap(({ data }) => data)}
              rowKey={(notice) => notice.id}
              {...(view.notice ? { current: view.notice } : {})}
            />
            <More reading={notices} />
          </>
        )}
      </StateBlock>
      <SidePanel
        opened={view.notice !== undefined}
        title="Notice"
        size={720}
        onClose={() => setView({ notice: undefined })}
      >
        {view.notice ? <NoticeDetail key={view.notice} noticeId={view.notice} /> : null}
      </SidePanel>
    </Page>
  )
}

function KindFilter() {
  const [view, setView] = useView()
  const templates = useApi('listNoticeTemplates', {})
  const kinds = templates.data?.data.map(({ kind }) => kind) ?? (view.kind ? [view.kind] : [])
  return (
    <NativeSelect
      label="Kind"
      value={view.kind ?? ''}
      onChange={(event) => setView({ kind: event.currentTarget.value || undefined })}
      data={[{ value: '', label: 'Every kind' }, ...kinds.map((kind) => ({ value: kind, label: kindWord(kind) }))]}
    />
  )
}

const kindWord = (kind: string): string => kind.charAt(0).toUpperCase() + kind.slice(1).replaceAll('_', ' ')

const columns = (view: Record<string, string | undefined>): Column<Notice>[] => [
  {
    title: 'Subject',
    cell: (notice) => (
      <TextLink to="/operator/notices" search={{ ...view, notice: notice.id }} resetScroll={false}>
        {notice.subject}
      </TextLink>
    ),
  },
  { title: 'Kind', cell: (notice) => kindWord(notice.kind) },
  { title: 'State', cell: (notice) => <StatusTag group="notice" state={notice.state} /> },
  { title: 'Tenant', cell: (notice) => notice.tenantId },
  { title: 'To', cell: (notice) => notice.to.join(', ') || <span className="dim">nobody</span> },
  { title: 'Made', cell: (notice) => <Instant at={notice.createdAt} /> },
]
