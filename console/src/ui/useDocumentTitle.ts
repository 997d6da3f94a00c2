import { useEffect } from 'react'

/** The object first, the product last: tabs and histories are read from the left. */
export function useDocumentTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Turnpike`
  }, [title])
}
