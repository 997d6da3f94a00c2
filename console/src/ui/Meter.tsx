import type { MeterUsage } from '@turnpike/contract'
import type { ReactNode } from 'react'
import { viewMeter } from '../format/meters.ts'
import styles from './Meter.module.css'
import { StatusTag } from './StatusTag.tsx'

/** One meter: name, state, figures, bar and what it means. */
export function Meter({ meter, level = 3, children }: { meter: MeterUsage; level?: 2 | 3; children?: ReactNode }) {
  const view = viewMeter(meter)
  const Heading = level === 2 ? 'h2' : 'h3'
  return (
    <div className={styles.meter}>
      <div className={styles.head}>
        <Heading>{meter.name}</Heading>
        <StatusTag group="meter" state={view.state} />
      </div>
      <p className={styles.figure}>{view.figure}</p>
      {view.fill === null ? null : (
        // biome-ignore lint/a11y/useSemanticElements: no browser draws a <meter> with a tick, a hatch and our tones
        <div
          className={styles.bar}
          role="meter"
          aria-label={`${meter.name} used`}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.floor(view.fill)}
          aria-valuetext={view.figure}
        >
          <div
            className={styles.fill}
            data-tone={view.tone}
            data-hatched={view.hatched || undefined}
            style={{ inlineSize: `${view.fill}%` }}
          />
          {view.includedAt === null ? null : (
            <div
              className={styles.tick}
              style={{ insetInlineStart: `${view.includedAt}%` }}
              title="Included in the plan"
            />
          )}
        </div>
      )}
      <p className="dim small">{view.sentence}</p>
      {children}
    </div>
  )
}
