import { useSyncExternalStore } from 'react'
import { onServiceTime, serviceNow } from '../api/serviceTime.ts'
import { formatDay, formatDistance, formatInstant, formatPeriod } from '../format/dates.ts'

type Props = { at: string; show?: 'day' | 'time' | 'seconds'; distance?: boolean }

/** A moment in the billing zone, which is named; the distance is only ever an addition. */
export function Instant({ at, show = 'time', distance }: Props) {
  const now = useNow()
  const printed = show === 'day' ? formatDay(at) : formatInstant(at, { seconds: show === 'seconds' })
  return (
    <time dateTime={at} title={formatInstant(at, { seconds: true })}>
      {printed}
      {distance ? ` (${formatDistance(at, now)})` : null}
    </time>
  )
}

/** A half-open period by its last included day. */
export function Period({ value }: { value: { start: string; end: string } }) {
  return (
    <time
      dateTime={`${value.start}/${value.end}`}
      title={`${formatInstant(value.start)} until ${formatInstant(value.end)}`}
    >
      {formatPeriod(value)}
    </time>
  )
}

let now = serviceNow()
const listeners = new Set<() => void>()
const renew = () => {
  now = serviceNow()
  for (const listener of listeners) listener()
}
setInterval(renew, 15_000)
onServiceTime(renew)

/** The time, renewed four times a minute for every distance on the page at once. */
export function useNow(): number {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => now,
  )
}
