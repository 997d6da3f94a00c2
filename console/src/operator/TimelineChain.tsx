import { IconBolt, IconClipboardText, IconKey, IconScale, IconShoppingCart, IconWebhook } from '@tabler/icons-react'
import type { TimelineEntry } from '@turnpike/contract'
import { useState } from 'react'
import { plural } from '../format/quantity.ts'
import { beginningOf, type Chain, formatLatency, kindWords } from '../format/timeline.ts'
import { featureOf, isRefusal, sentenceOf } from '../format/timelineSentence.ts'
import { useView } from '../search.ts'
import { Id } from '../ui/Id.tsx'
import { Instant } from '../ui/Instant.tsx'
import { Json } from '../ui/Json.tsx'
import { TextLink } from '../ui/Links.tsx'
import styles from './Timeline.module.css'

const icons = {
  webhook: IconWebhook,
  checkout: IconShoppingCart,
  event: IconBolt,
  snapshot: IconKey,
  decision: IconScale,
  audit: IconClipboardText,
}

/** One operation and all that it caused; a single entry stands for itself. */
export function TimelineChain({ chain, tenantId }: { chain: Chain; tenantId: string }) {
  const [open, setOpen] = useState(false)
  const [only] = chain.entries
  if (chain.entries.length === 1 && only) {
    return (
      <li className={styles.chain}>
        <Entry entry={only} tenantId={tenantId} />
      </li>
    )
  }
  const beginning = beginningOf(chain)
  const Icon = icons[beginning.kind]
  const kinds = [...new Set(chain.entries.toReversed().map((entry) => kindWords[entry.kind].toLowerCase()))]
  return (
    <li className={styles.chain}>
      <div className={styles.entry}>
        <span className={styles.icon} data-kind={beginning.kind}>
          <Icon size={16} aria-hidden />
        </span>
        <div className={styles.body}>
          <p className={styles.title}>
            <button type="button" className={styles.toggle} aria-expanded={open} onClick={() => setOpen(!open)}>
              {sentenceOf(beginning)}
            </button>
          </p>
          <p className={styles.meta}>
            <Instant at={chain.at} show="seconds" />
            <span>
              {chain.entries.length} {plural(chain.entries.length, 'step')}: {kinds.join(' → ')}
            </span>
            <span>{formatLatency(chain.latencyMs)} in all</span>
          </p>
        </div>
      </div>
      {open ? (
        <ol className={styles.steps}>
          {chain.entries.toReversed().map((entry) => (
            <li key={entry.id}>
              <Entry entry={entry} tenantId={tenantId} />
            </li>
          ))}
        </ol>
      ) : null}
    </li>
  )
}

/** The decision itself where it has a record, otherwise its time. */
function whichOf({ at, detail }: TimelineEntry): { at: string } | { decision: string } {
  return typeof detail.decisionId === 'string' ? { decision: detail.decisionId } : { at }
}

function Entry({ entry, tenantId }: { entry: TimelineEntry; tenantId: string }) {
  const [view] = useView()
  const Icon = icons[entry.kind]
  const feature = entry.kind === 'decision' ? featureOf(entry) : null
  return (
    <div className={styles.entry} id={`entry-${entry.id}`} data-denied={isRefusal(entry) || undefined}>
      <span className={styles.icon} data-kind={entry.kind}>
        <Icon size={16} aria-hidden />
      </span>
      <div className={styles.body}>
        <p className={styles.title}>{sentenceOf(entry)}</p>
        <p className={styles.meta}>
          <Instant at={entry.at} show="seconds" />
          <span>{kindWords[entry.kind]}</span>
          {entry.actor ? <span>{entry.actor}</span> : null}
          {entry.object ? <Id value={entry.object} label="object id" /> : null}
        </p>
        <div className={styles.actions}>
          <Json value={entry} />
          {feature ? (
            <TextLink to="/operator/explain" search={{ tenantId, feature, ...whichOf(entry) }}>
              Ask why
            </TextLink>
          ) : null}
          {entry.kind === 'snapshot' ? (
            <TextLink to="." search={{ ...view, at: entry.at } as never} resetScroll={false}>
              Entitlements then
            </TextLink>
          ) : null}
        </div>
      </div>
    </div>
  )
}
