import { decodeCursor, encodeCursor } from './handler.ts'

const isNumber = (value: unknown): value is string => typeof value === 'string' && /^\d{1,18}$/.test(value)

/** The place in a list that is ordered by number. */
export const placeOf = (cursor: string | undefined): bigint | null => {
  const place = decodeCursor(cursor, isNumber)
  return place === null ? null : BigInt(place)
}

/** The cursor behind the last row of a full page. */
export const after = <T>(rows: readonly T[], limit: number, id: (row: T) => bigint): string | null =>
  rows.length === limit ? encodeCursor(String(id(rows.at(-1)!))) : null
