import type { DecisionDetail, DecisionRecord } from '@turnpike/contract'
import { useApi, useApiPages } from '../api/api.ts'
import { formatQuantity, plural } from '../format/quantity.ts'
import { useView } from '../search.ts'
import { Banner } from '../ui/Banner.tsx'
import { Card, Facts } from '../ui/Card.tsx'
import { type Column, DataTable } from '../ui/DataTable.tsx'
import { Instant } from '../ui/Instant.tsx'
import { TextLink } from '../ui/Links.tsx'
import { More } from '../ui/More.tsx'
import { Empty, StateBlock } from '../ui/StateBlock.tsx'
import { Steps, WouldAllow } from './Derivation.tsx'
import styles from './ExplainPage.module.css'

/** Decisions about a feature as they were made, newest first: all that refused, and all that used something up (ENT-5). */
export function Decisions({ tenantId, feature }: { tenantId: string; feature: string }) {
  const [view] = useView()
  const decisions = useApiPages('listDecisions', { query: { tenantId, feature } })
  const rows = decisions.data?.pages.flatMap(({ data }) => data) ?? []
  return (
    <Card title="Decisions as they were made" aside={<span className="small dim">Newest first, times in UTC</span>}>
      <StateBlock
        what="the decisions"
        reading={decisions}
        lines={4}
        empty={() =>
          rows.length === 0 ? (
            <Empty title="Nothing was refused or used up">What is only looked at and allowed leaves no record.</Empty>
          ) : null
        }
      >
        {() => (
          <DataTable
            caption="Decisions"
            columns={columns}
            rows={rows.map((decision) => ({ decision, search: { ...view, decision: decision.id } }))}
            rowKey={({ decision }) => decision.id}
            current={view.decision}
          />
        )}
      </StateBlock>
      <More reading={decisions} />
    </Card>
  )
}

type Row = { decision: DecisionRecord; search: Record<string, string | undefined> }

const kindWords = { check: 'asked', consume: 'to use up', report: 'reported', reserve: 'to hold' } as const

const columns: Column<Row>[] = [
  { title: 'When', cell: ({ decision }) => <Instant at={decision.at} show="seconds" /> },
  {
    title: 'Answer',
    cell: ({ decision: { allowed, reason, because } }) =>
      `${allowed ? 'Allowed' : 'Denied'}: ${because ? `${because} was denied` : reason.replaceAll('_', ' ')}`,
  },
  {
    title: 'Quantity',
    cell: ({ decision: { quantity, kind, attempts } }) =>
      `${formatQuantity(quantity)} ${kindWords[kind]}${attempts > 1 ? `, ${attempts} ${plural(attempts, 'time', 'times')}` : ''}`,
  },
  {
    title: 'Counter',
    cell: ({ decision: { counter } }) =>
      counter
        ? `${formatQuantity(counter.used)} of ${counter.limit === null ? 'unlimited' : formatQuantity(counter.limit)}`
        : '–',
  },
  {
    title: 'Why',
    cell: ({ search }) => (
      <TextLink to="." search={search as never} resetScroll={false}>
        Ask why
      </TextLink>
    ),
  },
]

/** One decision, with what it was made with, and made again. */
export function DecisionAnswer({ tenantId, decisionId }: { tenantId: string; decisionId: string }) {
  const decision = useApi('getDecision', { params: { decisionId }, query: { tenantId } })
  return (
    <StateBlock what="the decision" reading={decision} lines={8}>
      {({ data }) => <Decided decision={data} />}
    </StateBlock>
  )
}

function Decided({ decision }: { decision: DecisionDetail }) {
  const { counter, counterfactual, replay } = decision
  const amount = (quantity: number | null) => (quantity === null ? 'unlimited' : formatQuantity(quantity))
  const override = counterfactual.override && Object.values(counterfactual.override)[0]
  return (
    <>
      <Banner
        tone={decision.allowed ? 'ok' : 'danger'}
        title={`${decision.allowed ? 'Allowed' : 'Denied'}: ${decision.reason.replaceAll('_', ' ')}`}
      >
        {decision.tenantId} · {decision.feature} · <Instant at={decision.at} show="seconds" />
      </Banner>
      {replay.same ? null : (
        <Banner tone="warning" title="Made again, it is another answer">
          The entitlements or the record of that time were changed since.
        </Banner>
      )}
      <div className={styles.columns}>
        <Steps steps={decision.steps} />
        <div className="stack">
          <WouldAllow wouldAllow={decision.wouldAllow} allowed={decision.allowed} />
          <Card title="As it stood">
            <Facts
              facts={[
                ['Quantity', formatQuantity(decision.quantity)],
                counter ? ['Used before', amount(counter.used)] : null,
                counter && counter.reserved > 0 ? ['Held for others', amount(counter.reserved)] : null,
                counter ? ['Limit', amount(counter.limit)] : null,
                counter && counter.carried > 0 ? ['Of it carried over', amount(counter.carried)] : null,
                ['Would have been allowed', amount(counterfactual.allowedQuantity)],
                counterfactual.plan ? ['Plan that would allow it', counterfactual.plan] : null,
                override === null ? null : ['Smallest override', String(override)],
                decision.overrideId ? ['Override', decision.overrideId] : null,
                ['Plan', `${decision.plan}, version ${decision.planVersion}`],
                ['Entitlements version', `${decision.snapshotVersion}`],
                ['Made again', replay.same ? 'the same answer' : 'another answer'],
              ]}
            />
          </Card>
        </div>
      </div>
    </>
  )
}
