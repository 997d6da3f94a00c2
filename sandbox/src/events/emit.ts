import { renderObject } from '../objects/render.ts'
import type { Stored } from '../objects/types.ts'
import type { Tx } from '../store/transact.ts'

/** Notes that something happened to `object`, which is shown as it is now. */
export function emit(tx: Tx, type: string, object: Stored, previous?: Record<string, unknown>): void {
  tx.events.push({ type, object: snapshot(tx, object), ...(previous ? { previous } : {}), at: tx.now })
}

/** The object as the API shows it now, to be compared later. */
export function snapshot(tx: Tx, object: Stored): Record<string, unknown> {
  return structuredClone(renderObject(tx, object)) as Record<string, unknown>
}

/** Emits `type` with previous_attributes when the object differs from `before`; says whether it did. */
export function emitUpdate(tx: Tx, type: string, object: Stored, before: Record<string, unknown>): boolean {
  const now = snapshot(tx, object)
  const previous = differences(before, now)
  if (Object.keys(previous).length === 0) return false
  tx.events.push({ type, object: now, previous, at: tx.now })
  return true
}

/** Old values of what changed: inner objects only their changed keys, lists whole. */
function differences(before: Record<string, unknown>, now: Record<string, unknown>): Record<string, unknown> {
  const previous: Record<string, unknown> = {}
  for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
    if (key === 'updated') continue
    const a = before[key]
    const b = now[key]
    if (JSON.stringify(a) === JSON.stringify(b)) continue
    if (isObject(a) && isObject(b) && a.object === undefined) previous[key] = differences(a, b)
    else previous[key] = a === undefined ? null : a
  }
  return previous
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
