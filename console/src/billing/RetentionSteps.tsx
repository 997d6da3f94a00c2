import type { BillingStatus } from '@turnpike/contract'
import { formatDistance, formatInstant } from '../format/dates.ts'
import { useNow } from '../ui/Instant.tsx'
import styles from './Review.module.css'

type Retention = NonNullable<BillingStatus['retention']>

/** What follows the end of the last subscription, each step with its time (SUB-6). */
export function RetentionSteps({ retention }: { retention: Retention }) {
  const now = useNow()
  const { endedAt, readOnlyUntil, exportUntil, deleteAt } = retention
  const steps: { at: string; title: string; text: string }[] = [
    {
      at: endedAt,
      title: Date.parse(endedAt) <= now ? 'The plan ended' : 'The plan ends',
      text: 'Nothing more is charged. Your data stays as it is.',
    },
    ...(readOnlyUntil
      ? [
          {
            at: readOnlyUntil,
            title: 'Until then: looking and exporting',
            text: 'You can look at everything and take it with you, but not create anything new.',
          },
        ]
      : []),
    ...(exportUntil === deleteAt
      ? []
      : [{ at: exportUntil, title: 'Last day to export', text: 'An archive of everything can be made until then.' }]),
    {
      at: deleteAt,
      title: 'Your data may be deleted',
      text: 'Until then an archive of everything can be made at any time. A new plan stops this.',
    },
  ]
  return (
    <ol className={styles.steps}>
      {steps.map((step) => {
        const past = Date.parse(step.at) <= now
        return (
          <li key={step.title} data-past={past || undefined}>
            <p>
              <time dateTime={step.at}>{formatInstant(step.at)}</time>{' '}
              <span className="dim small">({formatDistance(step.at, now)})</span>
            </p>
            <p>
              <strong>{step.title}</strong>
            </p>
            <p className="dim small">{step.text}</p>
          </li>
        )
      })}
    </ol>
  )
}
