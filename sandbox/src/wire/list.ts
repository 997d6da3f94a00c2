import { renderObject } from '../objects/render.ts'
import type { Stored } from '../objects/types.ts'
import { find, type Tx } from '../store/transact.ts'
import { invalid, missing } from './errors.ts'

export type Cursor = { limit?: number; starting_after?: string; ending_before?: string }
export type Page = { object: 'list'; data: Record<string, unknown>[]; has_more: boolean; url: string }

/** A page of all objects of a type, newest first, narrowed by `keep`. */
export function page<T extends Stored>(
  tx: Tx,
  url: string,
  type: T['object'],
  cursor: Cursor,
  keep: (object: T) => boolean = () => true,
): Page {
  const limit = limitOf(cursor)
  const from = cursor.starting_after ?? cursor.ending_before
  if (from !== undefined && find(tx, from)?.object !== type) throw unknownCursor(cursor, type)
  const backwards = cursor.ending_before !== undefined
  const data: T[] = []
  let more = false
  for (const body of tx.world.store.scan(type, backwards ? 'asc' : 'desc', from)) {
    const object = JSON.parse(body) as T
    if (object._?.deleted || !keep(object)) continue
    if (data.length === limit) {
      more = true
      break
    }
    data.push(object)
  }
  if (backwards) data.reverse()
  return { object: 'list', data: data.map((object) => renderObject(tx, object)), has_more: more, url }
}

/** A page of objects that are already gathered, in the order in which they are given. */
export function pageOf<T extends Stored>(tx: Tx, url: string, all: T[], cursor: Cursor): Page {
  const limit = limitOf(cursor)
  let start = 0
  let end = all.length
  if (cursor.starting_after !== undefined) {
    const at = all.findIndex((object) => object.id === cursor.starting_after)
    if (at < 0) throw unknownCursor(cursor, all[0]?.object ?? 'object')
    start = at + 1
  }
  if (cursor.ending_before !== undefined) {
    const at = all.findIndex((object) => object.id === cursor.ending_before)
    if (at < 0) throw unknownCursor(cursor, all[0]?.object ?? 'object')
    end = at
    start = Math.max(start, end - limit)
  }
  const data = all.slice(start, Math.min(end, start + limit))
  const more = cursor.ending_before !== undefined ? start > 0 : start + limit < end
  return { object: 'list', data: data.map((object) => renderObject(tx, object)), has_more: more, url }
}

function limitOf(cursor: Cursor): number {
  const limit = cursor.limit ?? 10
  if (limit < 1 || limit > 100)
    throw invalid('This value must be between 1 and 100.', 'limit', 'parameter_invalid_integer')
  return limit
}

function unknownCursor(cursor: Cursor, type: string) {
  const param = cursor.starting_after !== undefined ? 'starting_after' : 'ending_before'
  return missing(type, String(cursor[param]), param)
}
