import { type ReactNode, useEffect, useRef } from 'react'
import styles from './Page.module.css'
import { useDocumentTitle } from './useDocumentTitle.ts'

type Props = {
  title: string /** Names the object first: `Scale · Plans`. */
  documentTitle?: string
  lead?: ReactNode
  aside?: ReactNode
  wide?: boolean
  children: ReactNode
}

/** One page: its document title, its one first heading, its width. */
export function Page({ title, documentTitle, lead, aside, wide, children }: Props) {
  const heading = useRef<HTMLHeadingElement>(null)
  useDocumentTitle(documentTitle ?? title)
  // After a change of page the reader's place is the new heading, as it would be after a full load.
  useEffect(() => {
    if (navigated) heading.current?.focus({ preventScroll: true })
    navigated = true
  }, [])
  return (
    <div className={styles.page} data-wide={wide ?? undefined}>
      <div className={styles.head}>
        <div className={styles.titles}>
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {lead ? <div className={styles.lead}>{lead}</div> : null}
        </div>
        {aside}
      </div>
      {children}
    </div>
  )
}

let navigated = false
