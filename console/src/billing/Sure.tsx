import { Button } from '@mantine/core'
import { useState } from 'react'

type Props = { label: string; question: string; confirm: string; busy: boolean; onConfirm: () => void }

/** Asks once more before something is taken away, in place and with what it means. */
export function Sure({ label, question, confirm, busy, onConfirm }: Props) {
  const [asked, setAsked] = useState(false)
  if (!asked)
    return (
      <Button size="compact-md" variant="default" onClick={() => setAsked(true)}>
        {label}
      </Button>
    )
  return (
    <span className="row" style={{ '--gap': '8px' } as React.CSSProperties} role="status">
      <span className="small">{question}</span>
      <Button size="compact-md" color="red" loading={busy} onClick={onConfirm}>
        {confirm}
      </Button>
      <Button size="compact-md" variant="default" disabled={busy} autoFocus onClick={() => setAsked(false)}>
        Stop
      </Button>
    </span>
  )
}
