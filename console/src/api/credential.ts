const storageKey = 'turnpike-credential'

/**
 * The credential of this tab. It arrives in the fragment of a link, which browsers send to no server, and is taken out of
 * the address bar before anything else happens, so that it is neither bookmarked nor shared by accident.
 */
export function takeCredentialFromAddress(): boolean {
  const token = new URLSearchParams(location.hash.slice(1)).get('token')
  if (!token) return false
  keepCredential(token)
  history.replaceState(history.state, '', location.pathname + location.search)
  return true
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
