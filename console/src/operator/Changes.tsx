import { changesBetween } from '../format/changes.ts'
import { Json } from '../ui/Json.tsx'
import styles from './Changes.module.css'

type Fields = Record<string, unknown> | null

const longest = 120

/** What differs between two records, field by field; long values in full on demand. */
export function Changes({ before, after }: { before: Fields; after: Fields }) {
  const changes = changesBetween(before, after)
  if (changes.length === 0) return null
  const cut = changes.some((change) => `${change.before}`.length > longest || `${change.after}`.length > longest)
  return (
    <>
      <ul className={styles.changes}>
        {changes.map((change) => (
          <li key={change.field}>
            <span className="dim">{change.field}</span>{' '}
            {change.before === undefined ? null : (
              <>
                <del>{shorten(change.before)}</del>{' '}
              </>
            )}
            {change.after === undefined ? null : <ins>{shorten(change.after)}</ins>}
          </li>
        ))}
      </ul>
      {cut ? <Json value={{ before, after }} label="In full" /> : null}
    </>
  )
}

const shorten = (value: string): string => (value.length > longest ? `${value.slice(0, longest)}…` : value)
