import { decodeCursor, encodeCursor } from './handler.ts'

/** The place in a list that is ordered by time and id. */
type Place = { at: string; id: string }

const isPlace = (value: unknown): value is Place =>
  typeof value === 'object' &&
  value !== null &&
  'at' in value &&
  typeof value.at === 'string' &&
  /^\d{4}-[0-9T:.-]+Z$/.test(value.at) &&
  'id' in value &&
  typeof value.id === 'string' &&
  value.id.length <= 255

export const placeInTime = (cursor: string | undefined): Place | null => decodeCursor(cursor, isPlace)

/** The cursor behind the last row of a full page. */
export const behind = <T>(rows: readonly T[], limit: number, place: (row: T) => Place): string | null =>
  rows.length === limit ? encodeCursor(place(rows.at(-1)!)) : null
