import { createHash, randomFillSync } from 'node:crypto'
import { TypeID, typeid } from 'typeid-js'

/** Ids carry their kind and sort by time: `customer_01j…`. */
export type IdKind =
  | 'notice'
  | 'run'
  | 'finding'
  | 'customer'
  | 'subscription'
  | 'checkout'
  | 'override'
  | 'reservation'
  | 'event'
  | 'key'
  | 'request'
  | 'command'
  | 'export'
  | 'transfer'
  | 'dunning'
  | 'remediation'
  | 'grant'
  | 'posting'
  | 'purchase'
  | 'import'
  | 'period'
  | 'line'
  | 'placing'
  | 'refund'
  | 'credit_note'

export const newId = (kind: IdKind): string => typeid(kind).toString()

/**
 * The id of what a repeatable request makes: the same for each attempt under one claim, so that a repeat after a crash
 * finds what the first attempt has made instead of making another one. Without a claim it is a new id.
 */
export const idFor = (kind: IdKind, claim: string | undefined): string => {
  if (claim === undefined) return newId(kind)
  const bytes = createHash('sha256').update(`${kind} ${claim}`).digest().subarray(0, 16)
  // Version 8: a UUID whose content is the maker's own.
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return TypeID.fromUUIDBytes(kind, bytes).toString()
}

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const randomness = Buffer.alloc(4_096)
let spent = randomness.length
let timeMs = -1
let timeText = ''

/** As `newId('request')`, which would take longer than what many requests ask for. */
export const newRequestId = (nowMs: number): string => {
  if (nowMs !== timeMs) {
    timeMs = nowMs
    timeText = ''
    for (let rest = nowMs, digit = 0; digit < 10; digit++) {
      timeText = alphabet[rest % 32] + timeText
      rest = Math.floor(rest / 32)
    }
  }
  if (spent + 16 > randomness.length) {
    randomFillSync(randomness)
    spent = 0
  }
  // 80 bits after the time: version 7 in the first four, variant 2 in the 17th and 18th, chance in all others.
  let text = `request_${timeText}`
  for (let digit = 0; digit < 16; digit++) {
    const chance = randomness[spent++]! & 31
    text += alphabet[digit === 0 ? 14 | (chance & 1) : digit === 3 ? (chance & 19) | 8 : chance]
  }
  return text
}
