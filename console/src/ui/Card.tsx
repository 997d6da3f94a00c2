import { type ReactNode, useId } from 'react'
import styles from './Card.module.css'

type Props = { title: string; aside?: ReactNode; children: ReactNode; hideTitle?: boolean }

/** A titled part of a page. */
export function Card({ title, aside, children, hideTitle }: Props) {
  const id = useId()
  return (
    <section className={styles.card} aria-labelledby={id}>
      <div className={hideTitle ? 'hidden' : styles.head}>
        <h2 id={id}>{title}</h2>
        {hideTitle ? null : aside}
      </div>
      {children}
    </section>
  )
}

/** Names and values, as a description list. */
export function Facts({ facts }: { facts: ([string, ReactNode] | null)[] }) {
  return (
    <dl className={styles.facts}>
      {facts.map((fact) =>
        fact ? (
          <div key={fact[0]}>
            <dt>{fact[0]}</dt>
            <dd>{fact[1]}</dd>
          </div>
        ) : null,
      )}
    </dl>
  )
}
