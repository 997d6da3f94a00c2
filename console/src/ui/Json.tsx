import styles from './Json.module.css'

/** A record as it is, on demand. */
export function Json({ value, label = 'Raw record' }: { value: unknown; label?: string }) {
  return (
    <details className={styles.details}>
      <summary>{label}</summary>
      <pre>{JSON.stringify(value, null, 2)}</pre>
    </details>
  )
}
