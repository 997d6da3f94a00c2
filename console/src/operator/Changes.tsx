import { changesBetween } from '../format/changes.ts'
import styles from './Changes.module.css'

/** What differs between two records, field by field. */
export function Changes({
  before,
  after,
}: {
  before: Record<string, unknown> | null
  after: Record<string, unknown> | null
}) {
  const changes = changesBetween(before, after)
  if (changes.length === 0) return <span className="dim">none</span>
  return (
    <ul className={styles.changes}>
      {changes.map((change) => (
        <li key={change.field}>
          <span className="dim">{change.field}</span>{' '}
          {change.before === undefined ? null : (
            <>
              <del>{change.before}</del>{' '}
            </>
          )}
          {change.after === undefined ? null : <ins>{change.after}</ins>}
        </li>
      ))}
    </ul>
  )
}
