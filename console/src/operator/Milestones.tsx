import type { ReactNode } from 'react'
import { Instant } from '../ui/Instant.tsx'
import styles from './Milestones.module.css'

export type Milestone = { title: ReactNode; at: string | null; state: 'past' | 'now' | 'ahead'; note?: ReactNode }

const hidden = { past: 'Was: ', now: 'Now: ', ahead: 'To come: ' }

/** Stages on the clock: what was, where it stands, what comes. */
export function Milestones({ label, steps }: { label: string; steps: Milestone[] }) {
  return (
    <ol className={styles.steps} aria-label={label}>
      {steps.map((step, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the stages are in order and have no other name
        <li key={place} className={styles.step} data-state={step.state}>
          <p>
            <span className="hidden">{hidden[step.state]}</span>
            <strong>{step.title}</strong>
          </p>
          {step.at ? (
            <p className="small dim">
              {step.state === 'now' ? 'since ' : ''}
              <Instant at={step.at} distance />
            </p>
          ) : null}
          {step.note ? <p className="small dim">{step.note}</p> : null}
        </li>
      ))}
    </ol>
  )
}
