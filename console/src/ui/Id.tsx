import { IconCheck, IconCopy } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import styles from './Id.module.css'

/** An id, shortened in the middle, with one button that copies the whole of it. */
export function Id({ value, label, full }: { value: string; label: string; full?: boolean }) {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 2_000)
    return () => clearTimeout(timer)
  }, [copied])
  return (
    <span className={styles.id}>
      <code title={value} data-full={full || undefined}>
        {full ? value : shorten(value)}
      </code>
      <button
        type="button"
        className={styles.copy}
        aria-label={`Copy ${label}`}
        onClick={() => navigator.clipboard?.writeText(value).then(() => setCopied(true))}
      >
        {copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
      </button>
      <span role="status" className="hidden">
        {copied ? 'Copied' : ''}
      </span>
    </span>
  )
}

/** `customer_01j9…x4kq`: the kind and both ends, which is what people compare. */
function shorten(value: string): string {
  const kind = value.includes('_') ? value.slice(0, value.indexOf('_') + 1) : ''
  const rest = value.slice(kind.length)
  return rest.length <= 12 ? value : `${kind}${rest.slice(0, 4)}…${rest.slice(-4)}`
}
