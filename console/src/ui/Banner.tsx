import type { ReactNode } from 'react'
import type { StatusIcon as Icon, Tone } from '../format/words.ts'
import styles from './Banner.module.css'
import { StatusIcon } from './StatusTag.tsx'

type Props = { tone: Tone; title?: string; children?: ReactNode; actions?: ReactNode; announce?: boolean }

const icons: Record<Tone, Icon> = { neutral: 'dot', info: 'clock', ok: 'check', warning: 'alert', danger: 'stop' }

/** One thing that the reader should know before the rest of the page. */
export function Banner({ tone, title, children, actions, announce }: Props) {
  return (
    <div className={styles.banner} data-tone={tone} role={announce ? 'alert' : undefined}>
      <span className={styles.icon}>
        <StatusIcon icon={icons[tone]} size={18} />
      </span>
      <div className={styles.body}>
        {title ? <p className={styles.title}>{title}</p> : null}
        {children ? <div>{children}</div> : null}
        {actions ? <div className={styles.actions}>{actions}</div> : null}
      </div>
    </div>
  )
}
