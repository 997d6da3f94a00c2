import { Button, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { describeProblem } from '../api/problem.ts'
import { Instant } from '../ui/Instant.tsx'
import { ProblemNote } from '../ui/StateBlock.tsx'

type Decision = { decide(reason?: string): void; isPending: boolean; error: Error | null }

type Props = {
  /** Whether one has the right to approve. */
  may: boolean
  /** Whether one has asked for it oneself. */
  own: boolean
  lapsesAt: string | null
  /** What is decided, in a few words, where several wait beside each other. */
  subject?: string
  /** What is said on the buttons that do it. */
  words: { approve: string; reject: string }
  approve: Decision
  reject: Decision
}

/** What waits is approved or rejected by somebody else than whoever asked; whoever rejects says why. */
export function SecondPerson({ may, own, lapsesAt, subject, words, approve, reject }: Props) {
  const [way, setWay] = useState<'approve' | 'reject' | null>(null)
  const [reason, setReason] = useState('')
  const [tried, setTried] = useState(false)
  const until = lapsesAt ? (
    <>
      {' '}
      It lapses <Instant at={lapsesAt} distance />.
    </>
  ) : null
  if (!may) return <p className="small">A second person with the right to approve decides.{until}</p>
  const chosen = way === 'reject' ? reject : approve
  const said = reason.trim()
  const wrong = (said !== '' && said.length < 3) || (way === 'reject' && said === '')
  const send = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (!wrong) chosen.decide(said === '' ? undefined : said)
  }
  const named = (verb: string) => (subject ? { 'aria-label': `${verb} ${subject} …` } : {})
  return (
    <div className="stack" style={{ '--gap': '8px' } as React.CSSProperties}>
      <p className="small">
        {own ? 'You asked for this, so somebody else has to approve it.' : 'You are the second person.'}
        {until}
      </p>
      {way === null ? (
        <div className="row">
          {own ? null : (
            <Button size="compact-md" onClick={() => setWay('approve')} {...named('Approve')}>
              Approve …
            </Button>
          )}
          <Button size="compact-md" variant="default" onClick={() => setWay('reject')} {...named('Reject')}>
            Reject …
          </Button>
        </div>
      ) : (
        <form className="stack" style={{ '--gap': '8px' } as React.CSSProperties} onSubmit={send} noValidate>
          <TextInput
            label={way === 'reject' ? 'Reason' : 'Reason (may be left out)'}
            description="Kept in the audit trail"
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            error={tried && wrong ? 'Say why, in at least 3 characters.' : undefined}
            maxLength={500}
          />
          <div className="row">
            <Button
              type="submit"
              size="compact-md"
              loading={chosen.isPending}
              {...(way === 'reject' ? { color: 'red' } : {})}
            >
              {words[way]}
            </Button>
            <Button size="compact-md" variant="default" onClick={() => setWay(null)}>
              Back
            </Button>
          </div>
        </form>
      )}
      {chosen.error ? <ProblemNote problem={describeProblem(chosen.error)} /> : null}
    </div>
  )
}
