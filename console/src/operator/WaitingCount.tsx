import type { ReactNode } from 'react'
import { TextLink } from '../ui/Links.tsx'
import styles from './HomePage.module.css'

/** How many of something wait, as one big link. */
export function WaitingCount({ count, more, to, search, children }: Props) {
  return (
    <p className={styles.line}>
      <TextLink to={to} search={(search ?? {}) as never}>
        <span className={styles.number}>
          {count}
          {more ? '+' : ''}
        </span>
        <span className="hidden"> </span>
        {children}
      </TextLink>
    </p>
  )
}

type Props = {
  count: number
  more?: boolean
  to: string
  search?: Record<string, string>
  children: ReactNode
}
