/** The address if it is one of the web, otherwise null: a `javascript:` address must never become a link. */
export function httpAddress(address: string | null | undefined): string | null {
  if (!address) return null
  const parsed = URL.parse(address)
  return parsed && (parsed.protocol === 'https:' || parsed.protocol === 'http:') ? parsed.href : null
}
