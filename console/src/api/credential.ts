const storageKey = 'turnpike-credential'
const letterKey = (transferId: string) => `turnpike-letter-${transferId}`
const letterPath = /^\/billing\/owner-transfers\/([\w.:-]+)\/?$/

/**
 * The credential of this tab. It arrives in the fragment of a link, which browsers send to no server, and is taken out of
 * the address bar before anything else happens, so that it is neither bookmarked nor shared by accident. The token of a
 * letter to a new billing owner arrives in the same way and is no credential: it is kept apart, beside whoever is signed in.
 */
export function takeCredentialFromAddress(): boolean {
  const token = new URLSearchParams(location.hash.slice(1)).get('token')
  if (!token) return false
  const transferId = letterPath.exec(location.pathname)?.[1]
  if (transferId) sessionStorage.setItem(letterKey(transferId), token)
  else keepCredential(token)
  history.replaceState(history.state, '', location.pathname + location.search)
  return true
}

/** The token of the letter about a transfer, if this tab was opened by its link. */
export function letterToken(transferId: string): string | null {
  return sessionStorage.getItem(letterKey(transferId))
}

export function keepCredential(token: string): void {
  sessionStorage.setItem(storageKey, token.trim())
}

export function forgetCredential(): void {
  sessionStorage.removeItem(storageKey)
}

export function credential(): string | null {
  return sessionStorage.getItem(storageKey)
}
