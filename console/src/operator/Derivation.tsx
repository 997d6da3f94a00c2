import type { Explanation } from '@turnpike/contract'
import { Card } from '../ui/Card.tsx'
import { Json } from '../ui/Json.tsx'
import styles from './ExplainPage.module.css'

/** Every source that was looked at, in order. */
export function Steps({ steps }: Pick<Explanation, 'steps'>) {
  return (
    <Card title="How it was decided">
      <ol className={styles.steps}>
        {steps.map((step, place) => (
          <li key={`${step.source} ${step.sentence}`} data-decided={step.decided || undefined}>
            <p className={styles.source}>
              {place + 1}. {step.source.replaceAll('_', ' ')}
              {step.decided ? <strong className={styles.decided}>decided</strong> : null}
            </p>
            <p>{step.sentence}</p>
            {Object.keys(step.detail).length > 0 ? <Json value={step.detail} label="Inputs" /> : null}
          </li>
        ))}
      </ol>
    </Card>
  )
}

export function WouldAllow({ wouldAllow, allowed }: { wouldAllow: string[]; allowed: boolean }) {
  return (
    <Card title="Would be allowed if">
      {wouldAllow.length === 0 ? (
        <p className="dim">{allowed ? 'It is allowed already.' : 'Nothing known would change the answer.'}</p>
      ) : (
        <ul className={styles.would}>
          {wouldAllow.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      )}
    </Card>
  )
}
