export type Intent<Body> = { key: string; body: Body }
type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

/**
 * What somebody has confirmed, under one idempotency key and in the same words until an answer ends it: a second press, a
 * reload or a way back after a silence goes on with the same command and never charges twice (SUB-3, API-3).
 */
export function holdIntent<Body>(name: string, body: Body, store: Store = sessionStorage): Intent<Body> {
  const held = store.getItem(prefix + name)
  if (held !== null) return JSON.parse(held) as Intent<Body>
  const intent = { key: randomKey(), body }
  store.setItem(prefix + name, JSON.stringify(intent))
  return intent
}

export function endIntent(name: string, store: Store = sessionStorage): void {
  store.removeItem(prefix + name)
}

const prefix = 'turnpike-intent-'

// `crypto.randomUUID` is missing in pages served without TLS.
const randomKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
