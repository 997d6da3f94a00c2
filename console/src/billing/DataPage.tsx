import { Button, CopyButton } from '@mantine/core'
import type { BillingStatus, Export } from '@turnpike/contract'
import { useState } from 'react'
import { useApi, useApiChange } from '../api/api.ts'
import { describeProblem } from '../api/problem.ts'
import { useMay } from '../api/session.tsx'
import { plural } from '../format/quantity.ts'
import { Banner } from '../ui/Banner.tsx'
import { Card } from '../ui/Card.tsx'
import { DataTable } from '../ui/DataTable.tsx'
import { Instant } from '../ui/Instant.tsx'
import { Page } from '../ui/Page.tsx'
import { Empty, ProblemNote, StateBlock } from '../ui/StateBlock.tsx'
import { httpAddress } from './httpAddress.ts'
import { NotAllowed } from './NotAllowed.tsx'
import { RetentionSteps } from './RetentionSteps.tsx'
import { useTenant } from './useTenant.ts'

/** Taking one's data along, and until when it is kept (SUB-6, PRV-1). */
export function DataPage() {
  const tenant = useTenant()
  const status = useApi('getStatus', { query: tenant })
  const may = useMay('billing:exports:write')
  return (
    <Page
      title="Your data"
      documentTitle="Data · Billing"
      lead="A complete archive of what is kept about your account here."
    >
      <StateBlock what="your account" reading={status} lines={8}>
        {({ data }) => (
          <>
            {data.retention ? (
              <Card title="How long your data is kept">
                <RetentionSteps retention={data.retention} />
              </Card>
            ) : null}
            {may ? <Exports status={data} /> : <NotAllowed what="export the data" />}
          </>
        )}
      </StateBlock>
    </Page>
  )
}

function Exports({ status }: { status: BillingStatus }) {
  const params = { customerId: status.customerId }
  const exports = useApi('listExports', { params })
  const make = useApiChange('createExport')
  const [made, setMade] = useState<Export>()
  const address = httpAddress(made?.downloadUrl)
  return (
    <>
      <Card title="Make an archive">
        <p>
          A ZIP file with one file of JSON lines for each kind of record, and a manifest with counts and check sums. It
          is made at the moment it is fetched, so it is always complete.
        </p>
        <div>
          <Button
            loading={make.isPending}
            onClick={() => make.mutate({ params }, { onSuccess: ({ data }) => setMade(data) })}
          >
            Make a link to an archive
          </Button>
        </div>
        {make.error ? <ProblemNote problem={describeProblem(make.error)} /> : null}
        {made && address ? (
          <div role="status">
            <Banner tone="ok" title="The link is ready" actions={<LinkActions address={address} />}>
              It works until <Instant at={made.expiresAt} distance />. Whoever has it can fetch the archive without
              signing in, so treat it like a password.
            </Banner>
          </div>
        ) : null}
      </Card>
      <Card title="Earlier links">
        <StateBlock
          what="earlier links"
          reading={exports}
          empty={({ data }) =>
            data.length === 0 ? (
              <Empty title="No archive was made yet">Links that you make are listed here until they have ended.</Empty>
            ) : null
          }
        >
          {({ data }) => (
            <DataTable
              caption="Links to archives, newest first"
              rows={data}
              rowKey={(each) => each.id}
              columns={[
                { title: 'Made', cell: (each) => <Instant at={each.createdAt} /> },
                { title: 'By', cell: (each) => each.requestedBy },
                {
                  title: 'Fetched',
                  cell: (each) =>
                    each.lastDownloadedAt ? (
                      <>
                        {each.downloads} {plural(each.downloads, 'time')}, last <Instant at={each.lastDownloadedAt} />
                      </>
                    ) : (
                      'never'
                    ),
                },
                {
                  title: 'Link',
                  cell: (each) => {
                    const link = httpAddress(each.downloadUrl)
                    return link ? (
                      <span className="row" style={{ '--gap': '6px' } as React.CSSProperties}>
                        <LinkActions address={link} quiet />
                        <span className="small dim">
                          until <Instant at={each.expiresAt} />
                        </span>
                      </span>
                    ) : (
                      <span className="dim">
                        ended on <Instant at={each.expiresAt} />
                      </span>
                    )
                  },
                },
              ]}
            />
          )}
        </StateBlock>
      </Card>
    </>
  )
}

function LinkActions({ address, quiet }: { address: string; quiet?: boolean }) {
  return (
    <>
      <Button component="a" href={address} download size="compact-md" variant={quiet ? 'default' : 'filled'}>
        Download
      </Button>
      <CopyButton value={address}>
        {({ copied, copy }) => (
          <Button size="compact-md" variant="default" onClick={copy}>
            <span role="status">{copied ? 'Copied' : 'Copy link'}</span>
          </Button>
        )}
      </CopyButton>
    </>
  )
}
