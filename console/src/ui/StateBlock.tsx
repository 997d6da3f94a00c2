import { Button, Skeleton } from '@mantine/core'
import type { ReactNode } from 'react'
import { useEffect, useState } from 'react'
import { describeProblem, type Problem } from '../api/problem.ts'
import { formatClock } from '../format/dates.ts'
import { Id } from './Id.tsx'
import styles from './StateBlock.module.css'

type Reading<T> = {
  data: T | undefined
  error: unknown
  isPending: boolean
  isFetching: boolean
  dataUpdatedAt: number
  refetch: () => unknown
}

type Props<T> = {
  /** What is being read, in lower case: `usage`, `invoices`. */
  what: string
  reading: Reading<T>
  /** How many lines the finished block has, so that nothing jumps. */
  lines?: number
  /** Answers what to show when there is nothing, or null when there is something. */
  empty?: (data: T) => ReactNode | null
  children: (data: T) => ReactNode
}

/** The one way in which every block of every page is loading, empty, failed, stale or there. */
export function StateBlock<T>({ what, reading, lines = 4, empty, children }: Props<T>) {
  const { data, error } = reading
  if (data !== undefined) {
    return (
      <>
        {error ? (
          <div className={styles.stale} role="status">
            <span>
              Could not refresh. Showing what was known at {formatClock(new Date(reading.dataUpdatedAt).toISOString())}.
            </span>
            <Button size="compact-sm" variant="default" onClick={() => reading.refetch()} loading={reading.isFetching}>
              Try again
            </Button>
          </div>
        ) : null}
        {empty?.(data) ?? children(data)}
      </>
    )
  }
  if (error) {
    return <ProblemNote problem={describeProblem(error)} onRetry={() => reading.refetch()} busy={reading.isFetching} />
  }
  return <Loading what={what} lines={lines} />
}

/** Nothing for most of a second, because most answers are faster; then the outline of what comes, announced once. */
export function Loading({ what, lines = 4 }: { what: string; lines?: number }) {
  const slow = useAfter(600)
  const widths = ['62%', '88%', '74%', '81%', '55%']
  return (
    <div className={styles.loading} style={{ minHeight: lines * 28 }}>
      {slow ? (
        <>
          <span role="status" className="hidden">
            Loading {what}
          </span>
          {Array.from({ length: lines }, (_, line) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike and never move
            <Skeleton key={line} height={14} radius="sm" width={widths[line % widths.length]} aria-hidden />
          ))}
        </>
      ) : null}
    </div>
  )
}

/** What happened, what to do, and what to tell support. */
export function ProblemNote({ problem, onRetry, busy }: { problem: Problem; onRetry?: () => void; busy?: boolean }) {
  return (
    <div className={styles.problem} role="alert">
      <p className={styles.title}>{problem.title}</p>
      <p>{problem.detail}</p>
      {problem.fields.length > 0 ? (
        <ul className={styles.fields}>
          {problem.fields.map((field) => (
            <li key={`${field.field} ${field.message}`}>
              {field.field ? <code>{field.field}</code> : null} {field.message}
            </li>
          ))}
        </ul>
      ) : null}
      <p className="dim">{problem.next}</p>
      <div className={styles.reference}>
        {onRetry && problem.retry !== 'after_change' ? (
          <Button size="compact-md" variant="default" onClick={onRetry} loading={busy ?? false}>
            Try again
          </Button>
        ) : null}
        <span className="small dim">
          Code <code>{problem.code}</code>
        </span>
        {problem.requestId ? (
          <span className="small dim">
            Request <Id value={problem.requestId} label="request id" />
          </span>
        ) : null}
      </div>
    </div>
  )
}

/** Nothing to show: what will appear here and when, with at most one thing to do. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className={styles.empty}>
      <p className={styles.title}>{title}</p>
      {children ? <p className="dim">{children}</p> : null}
      {action}
    </div>
  )
}

function useAfter(milliseconds: number): boolean {
  const [passed, setPassed] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setPassed(true), milliseconds)
    return () => clearTimeout(timer)
  }, [milliseconds])
  return passed
}
