import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rowsOf } from '@turnpike/contract'
import { expect, test } from 'vitest'
import { describeFile, sendFile } from '../src/send-file.ts'

/** Every piece must end where the service, which sees nothing of the file but the piece, finds that a row ends. */
test.each([
  ['never closed, far apart', (n: number) => (n % 3_900 ? 'x' : '"15')],
  ['never closed, near each other', (n: number) => (n % 90 ? 'x' : 'a,"15')],
  ['within fields', (n: number) => (n % 90 ? 'x' : '15"')],
  ['around lines', (n: number) => (n % 7 ? 'x' : '"a\nb"')],
  ['open at the end', (n: number) => (n < 29_900 ? 'x' : `"${n}`)],
])('pieces end where rows do, with quotes %s', async (_, rowOf) => {
  const folder = mkdtempSync(join(tmpdir(), 'turnpike-send-'))
  const text = Array.from({ length: 30_000 }, (_each, n) => rowOf(n)).join('\n')
  writeFileSync(join(folder, 'file.csv'), text)
  const { size } = await describeFile(join(folder, 'file.csv'))
  const rows: string[] = []
  const send = async (piece: { offset: number; text: string }) => {
    const isLast = piece.offset + piece.text.length === size
    const split = rowsOf(isLast ? `${piece.text}\n` : piece.text, 'csv', { isLast })
    expect(split.end).toBe(piece.text.length + (isLast ? 1 : 0))
    expect(split.rows.length).toBeLessThanOrEqual(5_000)
    rows.push(...split.rows.map((row) => row.text))
    return { offset: piece.offset + piece.text.length }
  }
  await sendFile(join(folder, 'file.csv'), 'csv', ',', { offset: 0 }, size, send, () => true)
  rmSync(folder, { recursive: true })
  expect(rows).toEqual(rowsOf(`${text}\n`, 'csv', { isLast: true }).rows.map((row) => row.text))
})
