import { Button, TextInput } from '@mantine/core'
import type { AuditEntry } from '@turnpike/contract'
import { type FormEvent, useEffect, useState } from 'react'
import { useApiPages } from '../api/api.ts'
import { useView } from '../search.ts'
import { type Column, DataTable } from '../ui/DataTable.tsx'
import { FilterLinks } from '../ui/FilterLinks.tsx'
import { Id } from '../ui/Id.tsx'
import { Instant } from '../ui/Instant.tsx'
import { TextLink } from '../ui/Links.tsx'
import { More } from '../ui/More.tsx'
import { Page } from '../ui/Page.tsx'
import { Empty, StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { Actor } from './Actor.tsx'
import { Changes } from './Changes.tsx'

/** Who did or tried what, with before and after (UI-3). */
export function AuditPage() {
  const [view] = useView()
  const result = view.result === 'allowed' || view.result === 'denied' ? view.result : undefined
  const filtered = Boolean(result || view.tenantId || view.action)
  const entries = useApiPages('listAudit', {
    query: {
      ...(result ? { result } : {}),
      ...(view.tenantId ? { tenantId: view.tenantId } : {}),
      ...(view.action ? { action: view.action } : {}),
    },
  })
  return (
    <Page title="Audit" wide>
      <Filters />
      <StateBlock
        what="the audit trail"
        reading={entries}
        lines={10}
        empty={({ pages }) =>
          pages.some(({ data }) => data.length > 0) ? null : filtered ? (
            <Empty
              title="No entry matches the filters"
              action={<TextLink to="/operator/audit">Clear filters</TextLink>}
            />
          ) : (
            <Empty title="Nothing was recorded yet">The first change or refusal appears here.</Empty>
          )
        }
      >
        {({ pages }) => (
          <>
            <DataTable
              caption="Audit trail, newest first"
              columns={columns}
              rows={pages.flatMap(({ data }) => data)}
              rowKey={(entry) => entry.id}
            />
            <More reading={entries} />
          </>
        )}
      </StateBlock>
    </Page>
  )
}

function Filters() {
  const [view, setView] = useView()
  const [tenantId, setTenantId] = useState(view.tenantId ?? '')
  const [action, setAction] = useState(view.action ?? '')
  useEffect(() => {
    setTenantId(view.tenantId ?? '')
    setAction(view.action ?? '')
  }, [view.tenantId, view.action])
  const filter = (event: FormEvent) => {
    event.preventDefault()
    setView({ tenantId: tenantId.trim() || undefined, action: action.trim() || undefined })
  }
  return (
    <div className="row" style={{ alignItems: 'flex-end' }}>
      <FilterLinks
        label="Filter by result"
        param="result"
        options={[
          { value: undefined, label: 'All' },
          { value: 'allowed', label: 'Allowed' },
          { value: 'denied', label: 'Denied' },
        ]}
      />
      <form className="row" style={{ alignItems: 'flex-end' }} onSubmit={filter}>
        <TextInput label="Tenant" value={tenantId} onChange={(event) => setTenantId(event.currentTarget.value)} />
        <TextInput label="Action" value={action} onChange={(event) => setAction(event.currentTarget.value)} />
        <Button type="submit" variant="default">
          Filter
        </Button>
      </form>
    </div>
  )
}

const columns: Column<AuditEntry>[] = [
  {
    title: 'Action',
    cell: (entry) => (
      <>
        <strong>{entry.action}</strong>
        {entry.reason ? <span className="dim"> “{entry.reason}”</span> : null}
        <Changes before={entry.before} after={entry.after} />
      </>
    ),
  },
  { title: 'Result', cell: (entry) => <StatusTag group="result" state={entry.result} /> },
  {
    title: 'Actor',
    cell: (entry) => (
      <>
        <Actor actor={entry.actor} /> <span className="dim">({entry.actorKind})</span>
      </>
    ),
  },
  { title: 'Tenant', cell: (entry) => entry.tenantId ?? <span className="dim">–</span> },
  {
    title: 'Object',
    cell: (entry) => (entry.object ? <Id value={entry.object} label="object id" /> : <span className="dim">–</span>),
  },
  { title: 'At', cell: (entry) => <Instant at={entry.at} show="seconds" /> },
  {
    title: 'Request',
    cell: (entry) =>
      entry.requestId ? <Id value={entry.requestId} label="request id" /> : <span className="dim">–</span>,
  },
]
