import { useState } from 'react'
import styles from './Json.module.css'

/** A record as it is, on demand: a long list would be slow if all of them were written out. */
export function Json({ value, label = 'Raw record' }: { value: unknown; label?: string }) {
  const [open, setOpen] = useState(false)
  return (
    <details className={styles.details} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{label}</summary>
      {open ? <pre>{JSON.stringify(value, null, 2)}</pre> : null}
    </details>
  )
}
