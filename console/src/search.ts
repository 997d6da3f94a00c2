import { useNavigate, useSearch } from '@tanstack/react-router'

export type Search = Record<string, string | undefined>

/** Search parameters are text here: the router's own parser would turn the tenant `0042` into a number. */
export function parseSearch(text: string): Search {
  return Object.fromEntries(new URLSearchParams(text))
}

export function stringifySearch(search: Record<string, unknown>): string {
  const kept = Object.entries(search).filter(([, value]) => typeof value === 'string' && value !== '')
  const text = new URLSearchParams(kept as [string, string][]).toString()
  return text === '' ? '' : `?${text}`
}

/** The view's state in the address, so that every view can be linked and Back works. */
export function useView(): [Search, (change: Search, how?: { replace?: boolean }) => void] {
  const search = useSearch({ strict: false }) as Search
  const navigate = useNavigate()
  return [
    search,
    (change, { replace = false } = {}) =>
      navigate({ to: '.', search: { ...search, ...change }, replace, resetScroll: false } as never),
  ]
}
