import { Button } from '@mantine/core'
import type { InboxDetail } from '@turnpike/contract'
import { useState } from 'react'
import { useApi, useApiChange } from '../api/api.ts'
import { describeProblem } from '../api/problem.ts'
import { useMay } from '../api/session.tsx'
import { plural } from '../format/quantity.ts'
import { statusWord } from '../format/words.ts'
import { Banner } from '../ui/Banner.tsx'
import { Facts } from '../ui/Card.tsx'
import { Id } from '../ui/Id.tsx'
import { Instant } from '../ui/Instant.tsx'
import { Json } from '../ui/Json.tsx'
import { TextLink } from '../ui/Links.tsx'
import { ProblemNote, StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import styles from './WebhookDetail.module.css'

/** One webhook with every try, and the way to have it worked on again. */
export function WebhookDetail({ webhookId }: { webhookId: string }) {
  const reading = useApi('getWebhook', { params: { webhookId } }, { refetchInterval: 3_000 })
  return (
    <StateBlock what="the webhook" reading={reading} lines={10}>
      {({ data }) => <View entry={data} />}
    </StateBlock>
  )
}

function View({ entry }: { entry: InboxDetail }) {
  return (
    <div className="stack">
      <div>
        <StatusTag group="webhook" state={entry.state} />
      </div>
      {entry.lastError ? (
        <Banner tone={entry.state === 'dead' ? 'danger' : 'warning'} title="Last error">
          {entry.lastError}
        </Banner>
      ) : null}
      <Facts
        facts={[
          ['Type', entry.type],
          ['Inbox id', <Id key="id" value={entry.id} label="inbox id" />],
          ['Event', <Id key="event" value={entry.eventId} label="event id" />],
          ['Provider', entry.provider],
          entry.objectId ? ['Object', <Id key="object" value={entry.objectId} label="object id" />] : null,
          entry.tenantId
            ? [
                'Tenant',
                <TextLink key="tenant" to="/operator/customers" search={{ search: entry.tenantId }}>
                  {entry.tenantId}
                </TextLink>,
              ]
            : null,
          ['Received', <Instant key="received" at={entry.receivedAt} show="seconds" distance />],
          entry.appliedAt ? ['Worked on', <Instant key="applied" at={entry.appliedAt} show="seconds" />] : null,
          entry.nextAttemptAt
            ? ['Next try', <Instant key="next" at={entry.nextAttemptAt} show="seconds" distance />]
            : null,
          ['Outcome', entry.outcome?.replaceAll('_', ' ') ?? 'none yet'],
          entry.eventAt ? ['Made there', <Instant key="made" at={entry.eventAt} show="seconds" />] : null,
          [
            'Tries',
            `${entry.attempts}${entry.holds > 0 ? `, waited ${entry.holds} ${plural(entry.holds, 'time')} for the provider` : ''}`,
          ],
          ['Deliveries', `${entry.deliveries}`],
          entry.correlationId
            ? ['Correlation', <Id key="correlation" value={entry.correlationId} label="correlation id" />]
            : null,
          entry.traceId ? ['Trace', <Id key="trace" value={entry.traceId} label="trace id" />] : null,
        ]}
      />
      <Replay key={entry.id} entry={entry} />
      {entry.errors.length > 0 ? (
        <section className="stack" style={{ '--gap': '8px' } as React.CSSProperties} aria-labelledby="tries">
          <h3 id="tries">What went wrong at each try</h3>
          <ol className={styles.tries}>
            {entry.errors.map((each) => (
              <li key={`${each.at} ${each.error}`}>
                <Instant at={each.at} show="seconds" />
                {each.held ? <span className="dim"> · waited for the provider, which costs no try</span> : null}
                <p>{each.error}</p>
              </li>
            ))}
          </ol>
        </section>
      ) : null}
      <Json value={entry} />
    </div>
  )
}

/** Says that a replay had its effect only when the server shows it, never when it was merely accepted. */
function Replay({ entry }: { entry: InboxDetail }) {
  const mayReplay = useMay('billing:webhooks:replay')
  const replay = useApiChange('replayWebhook')
  const [before, setBefore] = useState<InboxDetail>()
  const settled = entry.state !== 'pending' && entry.state !== 'retrying'
  const worked = before !== undefined && (entry.attempts > before.attempts || entry.appliedAt !== before.appliedAt)

  if (!mayReplay) return <p className="dim">Your role cannot replay webhooks. Ask somebody in support or operations.</p>
  return (
    <div className="stack">
      <div>
        <Button
          variant={entry.state === 'dead' ? 'filled' : 'default'}
          loading={replay.isPending}
          disabled={before !== undefined && !worked && !replay.isError}
          onClick={() => {
            setBefore(entry)
            replay.mutate({ params: { webhookId: entry.id } }, { onError: () => setBefore(undefined) })
          }}
        >
          Replay this webhook
        </Button>
      </div>
      <p className="small dim">
        The object is fetched again from the provider; what was applied before has no second effect.
      </p>
      {replay.error ? <ProblemNote problem={describeProblem(replay.error)} /> : null}
      <p role="status">
        {before === undefined || replay.isError
          ? ''
          : worked && settled
            ? `Worked on again: ${statusWord('webhook', entry.state).word.toLowerCase()}${entry.outcome ? `, ${entry.outcome.replaceAll('_', ' ')}` : ''}.`
            : worked
              ? 'It was tried again and failed; it will be tried again by itself.'
              : 'Asked for. Waiting for the effect …'}
      </p>
    </div>
  )
}
