import { Button } from '@mantine/core'
import type { NoticeDetail as Detail, Notice } from '@turnpike/contract'
import { useState } from 'react'
import { useApi, useApiChange } from '../api/api.ts'
import { describeProblem } from '../api/problem.ts'
import { useMay } from '../api/session.tsx'
import { Banner } from '../ui/Banner.tsx'
import { Facts } from '../ui/Card.tsx'
import { Id } from '../ui/Id.tsx'
import { Instant } from '../ui/Instant.tsx'
import { TextLink } from '../ui/Links.tsx'
import { ProblemNote, StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { MessagePreview } from './MessagePreview.tsx'

/** One message with its words, how its mail went, and the way to send it again. */
export function NoticeDetail({ noticeId }: { noticeId: string }) {
  const reading = useApi('getNotice', { params: { noticeId } }, { refetchInterval: 3_000 })
  return (
    <StateBlock what="the notice" reading={reading} lines={8}>
      {({ data }) => <View notice={data} />}
    </StateBlock>
  )
}

function View({ notice }: { notice: Detail }) {
  return (
    <>
      <p>
        <strong>{notice.subject}</strong>
      </p>
      <div className="row">
        <StatusTag group="notice" state={notice.state} />
        <StatusTag group="severity" state={notice.severity} />
      </div>
      {notice.lastError ? (
        <Banner tone={notice.state === 'failed' ? 'danger' : 'warning'} title="Last error">
          {notice.lastError}
        </Banner>
      ) : null}
      <Facts
        facts={[
          ['To', notice.to.join(', ') || 'nobody: no address is known'],
          [
            'Tenant',
            <TextLink key="tenant" to="/operator/customers" search={{ search: notice.tenantId }}>
              {notice.tenantId}
            </TextLink>,
          ],
          ['Kind', notice.kind.replaceAll('_', ' ')],
          ['Made', <Instant key="made" at={notice.createdAt} show="seconds" />],
          notice.sentAt ? ['Sent', <Instant key="sent" at={notice.sentAt} show="seconds" />] : null,
          notice.nextAttemptAt
            ? ['Next try', <Instant key="next" at={notice.nextAttemptAt} show="seconds" distance />]
            : null,
          ['Tries', `${notice.attempts}`],
          ['Because of', <Id key="event" value={notice.eventId} label="event id" />],
          ['Message id', <Id key="message" value={notice.messageId} label="message id" />],
        ]}
      />
      <Resend notice={notice} />
      {notice.html !== null && notice.text !== null ? (
        <MessagePreview subject={notice.subject} html={notice.html} text={notice.text} />
      ) : (
        <p className="dim">The words of this message were deleted with the customer’s data.</p>
      )}
    </>
  )
}

/** Called sent only when the server says so, never when it was merely asked for. */
function Resend({ notice }: { notice: Notice }) {
  const may = useMay('billing:notices:send')
  const resend = useApiChange('resendNotice')
  const [asking, setAsking] = useState(false)
  const [before, setBefore] = useState<Notice>()
  const settled = notice.state === 'sent' || notice.state === 'failed' || notice.state === 'skipped'
  const tried = before !== undefined && (notice.attempts !== before.attempts || notice.sentAt !== before.sentAt)
  if (!may) return <p className="dim">Your role cannot send messages. Ask somebody in operations.</p>
  return (
    <div className="stack" style={{ '--gap': '8px' } as React.CSSProperties}>
      <div className="row">
        {asking ? (
          <>
            <span>The customer gets the same words again, at the address of today.</span>
            <Button
              size="compact-md"
              loading={resend.isPending}
              onClick={() => {
                setBefore(notice)
                setAsking(false)
                resend.mutate({ params: { noticeId: notice.id } }, { onError: () => setBefore(undefined) })
              }}
            >
              Send it again
            </Button>
            <Button size="compact-md" variant="default" onClick={() => setAsking(false)}>
              Do not send
            </Button>
          </>
        ) : (
          <Button
            size="compact-md"
            variant={notice.state === 'failed' ? 'filled' : 'default'}
            onClick={() => setAsking(true)}
          >
            Send again …
          </Button>
        )}
      </div>
      {resend.error ? <ProblemNote problem={describeProblem(resend.error)} /> : null}
      <p role="status" className="small">
        {before === undefined
          ? ''
          : tried && settled
            ? notice.state === 'sent'
              ? 'Sent again.'
              : 'It was tried again and failed.'
            : 'Asked for. Waiting for the mail server …'}
      </p>
    </div>
  )
}
