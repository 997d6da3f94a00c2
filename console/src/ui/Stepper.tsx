import { useEffect, useId, useState } from 'react'
import styles from './Stepper.module.css'

type Props = {
  label: string
  value: number
  min: number
  max: number
  note?: string | undefined
  disabled?: boolean
  onChange: (value: number) => void
}

/** A whole number that is typed or counted up and down. What is typed holds once the field is left or Enter is pressed. */
export function Stepper({ label, value, min, max, note, disabled = false, onChange }: Props) {
  const [typed, setTyped] = useState(String(value))
  const id = useId()
  useEffect(() => setTyped(String(value)), [value])
  const set = (wanted: number) => {
    const fitting = Math.min(max, Math.max(min, wanted))
    setTyped(String(fitting))
    if (fitting !== value) onChange(fitting)
  }
  const commit = () => (/^\d{1,6}$/.test(typed) ? set(Number(typed)) : setTyped(String(value)))
  return (
    <div className={styles.field}>
      <div className={styles.words}>
        <label htmlFor={id}>{label}</label>
        {note ? (
          <p id={`${id}-note`} className="small dim">
            {note}
          </p>
        ) : null}
      </div>
      <div className={styles.stepper}>
        <button
          type="button"
          aria-label={`${label}: one less`}
          disabled={disabled || value <= min}
          onClick={() => set(value - 1)}
        >
          −
        </button>
        <input
          id={id}
          inputMode="numeric"
          autoComplete="off"
          value={typed}
          disabled={disabled}
          aria-describedby={note ? `${id}-note` : undefined}
          onChange={(event) => setTyped(event.currentTarget.value.replace(/\D/g, ''))}
          onBlur={commit}
          onKeyDown={(event) => {
            if (event.key === 'Enter') commit()
            if (event.key === 'ArrowUp') set(value + 1)
            if (event.key === 'ArrowDown') set(value - 1)
          }}
        />
        <button
          type="button"
          aria-label={`${label}: one more`}
          disabled={disabled || value >= max}
          onClick={() => set(value + 1)}
        >
          +
        </button>
      </div>
    </div>
  )
}
