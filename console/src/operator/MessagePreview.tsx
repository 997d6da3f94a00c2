import { useState } from 'react'
import styles from './MessagePreview.module.css'

/** A message as mail programs show it, or as plain text. The frame runs no script, loads nothing and leads nowhere. */
export function MessagePreview({ subject, html, text }: { subject: string; html: string; text: string }) {
  const [shown, setShown] = useState<'html' | 'text'>('html')
  return (
    <div className="stack" style={{ '--gap': '10px' } as React.CSSProperties}>
      <fieldset style={{ border: 0, margin: 0, padding: 0 }}>
        <legend className="hidden">Show the message as</legend>
        <div className={styles.choices}>
          <button type="button" aria-pressed={shown === 'html'} onClick={() => setShown('html')}>
            As mail
          </button>
          <button type="button" aria-pressed={shown === 'text'} onClick={() => setShown('text')}>
            As plain text
          </button>
        </div>
      </fieldset>
      {shown === 'html' ? (
        <iframe className={styles.frame} sandbox="" srcDoc={html} title={`Message “${subject}”`} />
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard
        <section className={styles.text} tabIndex={0} aria-label={`Message “${subject}” as plain text`}>
          <pre>{text}</pre>
        </section>
      )}
    </div>
  )
}
