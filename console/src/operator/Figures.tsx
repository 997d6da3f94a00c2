import type { ReactNode } from 'react'
import styles from './Figures.module.css'

type Figure = { name: string; value: ReactNode; note?: ReactNode }

/** A row of figures with what each of them counts. */
export function Figures({ figures }: { figures: Figure[] }) {
  return (
    <dl className={styles.figures}>
      {figures.map(({ name, value, note }) => (
        <div key={name} className={styles.figure}>
          <dt>{name}</dt>
          <dd>{value}</dd>
          {note ? <dd className={styles.note}>{note}</dd> : null}
        </div>
      ))}
    </dl>
  )
}
