import { useApi } from '../api/api.ts'
import { useMay } from '../api/session.tsx'
import { plural } from '../format/quantity.ts'
import { Card } from '../ui/Card.tsx'
import { Instant } from '../ui/Instant.tsx'
import { TextLink } from '../ui/Links.tsx'
import { StateBlock } from '../ui/StateBlock.tsx'
import { WaitingCount } from './WaitingCount.tsx'

const most = 200
const often = 5_000

/** What waits for a second person, by kind, as far as one may see it (ENT-2, INV-4). */
export function WaitingApprovals() {
  const [exceptions, money, credit] = [
    useMay('billing:overrides:read'),
    useMay('billing:invoices:read'),
    useMay('billing:credits:write'),
  ]
  const query = { state: 'waiting_for_approval' as const, limit: most }
  const timing = (enabled: boolean) => ({ refetchInterval: often, enabled })
  const kinds = [
    {
      words: ['override', 'overrides'],
      seen: exceptions,
      reading: useApi('listWaitingOverrides', {}, timing(exceptions)),
    },
    { words: ['refund', 'refunds'], seen: money, reading: useApi('listRefunds', { query }, timing(money)) },
    {
      words: ['credit note', 'credit notes'],
      seen: money,
      reading: useApi('listCreditNotes', { query }, timing(money)),
    },
    {
      words: ['grant of credit', 'grants of credit'],
      seen: credit,
      reading: useApi('listWaitingCreditGrants', {}, timing(credit)),
    },
  ].filter(({ seen }) => seen)
  if (kinds.length === 0) return null
  return (
    <Card title="Approvals" aside={<TextLink to="/operator/approvals">All that wait</TextLink>}>
      <StateBlock what="what waits for approval" reading={together(kinds)} lines={2}>
        {(waiting) => {
          const [next] = waiting.flatMap(({ ends }) => ends).sort()
          return waiting.length === 0 ? (
            <p>Nothing waits for a second person.</p>
          ) : (
            <>
              {waiting.map(({ words: [one, many], count }) => (
                <WaitingCount key={one} count={count} more={count === most} to="/operator/approvals">
                  {plural(count, `${one} waits`, `${many} wait`)}
                </WaitingCount>
              ))}
              {next ? (
                <p className="small dim">
                  The next lapses <Instant at={next} distance />.
                </p>
              ) : null}
            </>
          )
        }}
      </StateBlock>
    </Card>
  )
}

type Kind = {
  words: string[]
  reading: {
    data: { data: { requestExpiresAt: string | null }[] } | undefined
    error: unknown
    isPending: boolean
    isFetching: boolean
    dataUpdatedAt: number
    refetch: () => unknown
  }
}

/** The kinds as one reading: there when all of them are, and only those of which something waits. */
const together = (kinds: readonly Kind[]) => ({
  data: kinds.every(({ reading }) => reading.data !== undefined)
    ? kinds.flatMap(({ words, reading }) => {
        const rows = reading.data?.data ?? []
        const ends = rows.flatMap(({ requestExpiresAt }) => requestExpiresAt ?? [])
        return rows.length === 0 ? [] : [{ words: [words[0]!, words[1]!] as const, count: rows.length, ends }]
      })
    : undefined,
  error: kinds.find(({ reading }) => reading.error)?.reading.error ?? null,
  isPending: kinds.some(({ reading }) => reading.isPending),
  isFetching: kinds.some(({ reading }) => reading.isFetching),
  dataUpdatedAt: Math.min(...kinds.map(({ reading }) => reading.dataUpdatedAt)),
  refetch: () => kinds.map(({ reading }) => reading.refetch()),
})
