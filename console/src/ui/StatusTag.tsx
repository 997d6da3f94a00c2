import {
  IconAlertTriangleFilled,
  IconArrowUp,
  IconCheck,
  IconClock,
  IconMinus,
  IconPlayerPauseFilled,
  IconPointFilled,
  IconSquareFilled,
} from '@tabler/icons-react'
import { type StatusIcon as Icon, statusWord, type WordGroup } from '../format/words.ts'
import styles from './StatusTag.module.css'

const icons = {
  dot: IconPointFilled,
  check: IconCheck,
  clock: IconClock,
  alert: IconAlertTriangleFilled,
  stop: IconSquareFilled,
  up: IconArrowUp,
  pause: IconPlayerPauseFilled,
  minus: IconMinus,
}

/** A state as word, icon and tone; never by colour alone and never something to click. */
export function StatusTag({ group, state }: { group: WordGroup; state: string }) {
  const { word, tone, icon } = statusWord(group, state)
  return (
    <span className={styles.tag} data-tone={tone}>
      <StatusIcon icon={icon} />
      {word}
    </span>
  )
}

export function StatusIcon({ icon, size = 13 }: { icon: Icon; size?: number }) {
  const Drawing = icons[icon]
  return <Drawing size={size} aria-hidden />
}
