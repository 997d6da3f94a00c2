import { Button } from '@mantine/core'
import type { CommandPreview } from '@turnpike/contract'
import { describeProblem } from '../api/problem.ts'
import { formatClock } from '../format/dates.ts'
import { useNow } from '../ui/Instant.tsx'
import { ButtonLink } from '../ui/Links.tsx'
import { confirmLabel, previewSentence } from './commandWords.ts'
import styles from './Review.module.css'
import { useTenant } from './useTenant.ts'

type Props = {
  preview: CommandPreview
  busy: boolean
  waiting: boolean
  danger?: boolean
  onConfirm: () => void
  onLookAgain: () => void
  back: { to: string; label: string }
}

/** The whole in a sentence and the one button that does it; what was shown holds for some minutes only. */
export function ConfirmBar({ preview, busy, waiting, danger, onConfirm, onLookAgain, back }: Props) {
  const tenant = useTenant()
  const expired = Date.parse(preview.expiresAt) <= useNow()
  const blocked = preview.overLimit?.policy === 'block'
  return (
    <section className={styles.confirm} aria-label="Confirm">
      <p className={styles.sentence} role="status">
        {previewSentence(preview)}
      </p>
      <div className="row">
        {expired ? (
          <Button onClick={onLookAgain} loading={waiting}>
            Look again
          </Button>
        ) : (
          <Button
            onClick={onConfirm}
            loading={busy}
            disabled={waiting || blocked}
            {...(danger ? { color: 'red' } : {})}
          >
            {confirmLabel(preview)}
          </Button>
        )}
        <ButtonLink to={back.to} search={tenant} variant="default">
          {back.label}
        </ButtonLink>
      </div>
      <p className="small dim">
        {blocked
          ? 'Possible as soon as what is in use fits.'
          : expired
            ? 'These amounts are too old to be confirmed.'
            : `These amounts hold until ${formatClock(preview.expiresAt)}. If anything changes before, nothing is done and you see the new ones.`}
      </p>
    </section>
  )
}

/** After a refusal the way on is the one that its note names; only what was out of date is confirmed here once more. */
export function isConfirmable(refusal: unknown): boolean {
  return refusal === null || describeProblem(refusal).code === 'preview_stale'
}
