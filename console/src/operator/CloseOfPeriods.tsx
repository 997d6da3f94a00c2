import type { CloseProgress } from '@turnpike/contract'
import { useApi } from '../api/api.ts'
import { formatQuantity } from '../format/quantity.ts'
import { Card, Facts } from '../ui/Card.tsx'
import { Instant } from '../ui/Instant.tsx'
import { TextLink } from '../ui/Links.tsx'
import { StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import styles from './HomePage.module.css'

/** How far the close of usage periods is, and what does not get on (OPS-3, INV-6). */
export function CloseOfPeriods() {
  const progress = useApi('getCloseProgress', {}, { refetchInterval: 5_000 })
  return (
    <Card title="Close of usage periods">
      <StateBlock
        what="the close of usage periods"
        reading={progress}
        lines={3}
        empty={({ data }) =>
          data.open + data.due + data.placing === 0 ? <p className="dim">No subscription pays for usage yet.</p> : null
        }
      >
        {({ data }) => <Progress progress={data} />}
      </StateBlock>
    </Card>
  )
}

const explanations = {
  due: 'rated by themselves within minutes',
  placing: 'rated, not on an invoice yet; failed ones too',
  failing: 'failed, and are tried again by themselves',
}

function Progress({ progress }: { progress: CloseProgress }) {
  const { open, due, placing, failing, oldestDueAt, oldestPlacingAt } = progress
  return (
    <>
      {due + placing === 0 ? (
        <p>Every period that is over is on invoices.</p>
      ) : (
        <ul className={styles.waiting}>
          {(['failing', 'placing', 'due'] as const).map((state) =>
            progress[state] === 0 ? null : (
              <li key={state}>
                <span className={styles.number}>{formatQuantity(progress[state])}</span>
                <span className="hidden"> usage periods: </span>
                <StatusTag group="close" state={state} />
                <span className="dim small">{explanations[state]}</span>
              </li>
            ),
          )}
        </ul>
      )}
      {failing > 0 ? <Failing /> : null}
      <Facts
        facts={[
          ['Running', formatQuantity(open)],
          oldestDueAt ? ['Oldest not rated', <Instant key="due" at={oldestDueAt} distance />] : null,
          oldestPlacingAt ? ['Oldest on its way', <Instant key="placing" at={oldestPlacingAt} distance />] : null,
        ]}
      />
    </>
  )
}

const shown = 3

/** Whose lines could not be put on an invoice, and why. */
function Failing() {
  const rated = useApi('listUsagePeriods', { query: { state: 'rated', limit: 100 } }, { refetchInterval: 10_000 })
  const failed = rated.data?.data.filter(({ failure }) => failure !== null).slice(0, shown) ?? []
  return failed.length === 0 ? null : (
    <ul className={styles.waiting} aria-label="Failing">
      {failed.map(({ id, tenantId, failure }) => (
        <li key={id} className="small">
          <TextLink to="/operator/customers" search={{ search: tenantId } as never}>
            {tenantId}
          </TextLink>
          <span>{failure}</span>
        </li>
      ))}
    </ul>
  )
}
