import type { CommandPreview } from '@turnpike/contract'
import { entitlementSentence } from '../format/entitlements.ts'
import { accessSentences, statusWord } from '../format/words.ts'
import { StatusIcon } from '../ui/StatusTag.tsx'
import styles from './Review.module.css'

type Entitlements = CommandPreview['entitlements']
type Difference = Entitlements['differences'][number]

const groups = [
  { change: 'gained', title: 'You gain', icon: 'up' },
  { change: 'lost', title: 'You lose', icon: 'minus' },
  { change: 'changed', title: 'Changes', icon: 'dot' },
] as const

/** What may be used afterwards and may not be now, in words: from what to what. */
export function Differences({ entitlements }: { entitlements: Entitlements }) {
  const { differences, accessLevel } = entitlements
  const access = accessLevel.before !== accessLevel.after
  if (differences.length === 0 && !access) return <p>What you may use stays as it is.</p>
  return (
    <div className="stack">
      {access ? (
        <p>
          <strong>Access: {statusWord('access', accessLevel.after).word}.</strong> {accessSentences[accessLevel.after]}
        </p>
      ) : null}
      {groups.map(({ change, title, icon }) => {
        const rows = differences.filter((difference) => difference.change === change)
        return rows.length === 0 ? null : (
          <div key={change}>
            <h3>{title}</h3>
            <ul className={styles.differences} data-change={change}>
              {rows.map((row) => (
                <li key={row.feature}>
                  <span className={styles.mark}>
                    <StatusIcon icon={icon} size={15} />
                  </span>
                  <span>
                    <strong>{row.name}</strong> <Sides row={row} />
                  </span>
                </li>
              ))}
            </ul>
          </div>
        )
      })}
    </div>
  )
}

function Sides({ row }: { row: Difference }) {
  const before = row.before && entitlementSentence(row.before)
  const after = row.after && entitlementSentence(row.after)
  if (before === after) return null
  if (!before) return <span className="dim">{after}</span>
  if (!after) return <span className="dim">not included any more{before === 'included' ? '' : ` (was ${before})`}</span>
  return (
    <span className="dim">
      {before} <span aria-hidden>→</span>
      <span className="hidden">becomes</span> <span className={styles.after}>{after}</span>
    </span>
  )
}
