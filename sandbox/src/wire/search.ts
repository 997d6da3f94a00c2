import { renderObject } from '../objects/render.ts'
import type { Stored } from '../objects/types.ts'
import type { Tx } from '../store/transact.ts'
import { invalid } from './errors.ts'

/** Stripe's search language as far as billing needs it: `field:'value'`, `metadata['key']:'value'`, joined by AND. */
export function search<T extends Stored>(
  tx: Tx,
  url: string,
  type: T['object'],
  params: { query: string; limit?: number; page?: string },
) {
  const clauses = params.query.split(/\s+AND\s+/i).map((text) => {
    const match = /^(-?)(?:metadata\[["'](.+?)["']\]|(\w+))\s*(:|~|>=|<=|>|<)\s*(?:["'](.*)["']|(\S+))$/.exec(
      text.trim(),
    )
    if (!match) throw invalid(`We were unable to parse your search query. Query: ${params.query}`, 'query')
    const [, not, key, field, sign, quoted, bare] = match
    return { not: not === '-', key, field, sign: sign!, wanted: quoted ?? bare ?? '' }
  })
  const skip = params.page ? Number(params.page) : 0
  const limit = params.limit ?? 10
  const found: Record<string, unknown>[] = []
  for (const body of tx.world.store.scan(type, 'desc')) {
    const object = JSON.parse(body) as T
    if (object._?.deleted) continue
    const fits = clauses.every(({ not, key, field, sign, wanted }) => {
      const value = key ? object.metadata?.[key] : object[field!]
      return matches(value, sign, wanted) !== not
    })
    if (fits) found.push(renderObject(tx, object))
  }
  const more = found.length > skip + limit
  return {
    object: 'search_result',
    data: found.slice(skip, skip + limit),
    has_more: more,
    next_page: more ? String(skip + limit) : null,
    url,
  }
}

function matches(value: unknown, sign: string, wanted: string): boolean {
  if (wanted === 'null') return value === null || value === undefined
  if (value === null || value === undefined) return false
  if (sign === ':') return String(value).toLowerCase() === wanted.toLowerCase()
  if (sign === '~') return String(value).toLowerCase().includes(wanted.toLowerCase())
  const [a, b] = [Number(value), Number(wanted)]
  return sign === '>' ? a > b : sign === '<' ? a < b : sign === '>=' ? a >= b : a <= b
}
