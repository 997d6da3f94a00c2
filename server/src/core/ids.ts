import { randomFillSync } from 'node:crypto'
import { typeid } from 'typeid-js'

/** Ids carry their kind and sort by time: `customer_01j…`. */
export type IdKind = 'customer' | 'subscription' | 'checkout' | 'override' | 'event' | 'key' | 'request'

export const newId = (kind: IdKind): string => typeid(kind).toString()

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
