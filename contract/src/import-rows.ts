export const importFormats = ['csv', 'ndjson'] as const
export type ImportFormat = (typeof importFormats)[number]

/** What goes on for longer than this between quotes is no row: a quote was opened and never closed. */
const rowMax = 65_536
const rowLinesMax = 1_000

/** How rows are looked for. `isLast`: the text ends where the file does. `most`: a small text can have very many rows. */
export type RowSearch = { delimiter?: string; isLast?: boolean; most?: number }

/**
 * Tells the rows of a piece of a file apart, each with the number of its first line from the start of the piece. `end` is
 * where the last whole row ends: sender and service must agree on where a file can be cut, so that both ask here. In CSV a
 * line break between quotes belongs to its field, and a quote opens a field only where the field begins (RFC 4180).
 *
 * It stops soon after `most`: lines that were looked at together (`csvBlock`) stay together, at most 1,001 of them.
 */
export const rowsOf = (
  text: string,
  format: ImportFormat,
  { delimiter = ',', isLast = false, most = Number.POSITIVE_INFINITY }: RowSearch = {},
): { rows: { line: number; text: string }[]; lines: number; end: number } => {
  const rows: { line: number; text: string }[] = []
  let start = 0
  let lines = 0
  const blockOf = format === 'csv' ? csvBlock(text, delimiter, isLast) : lineOf
  while (rows.length < most) {
    const lineEnd = text.indexOf('\n', start)
    if (lineEnd < 0) break
    const block = blockOf(start, lineEnd)
    if (block === null) break
    const inside = text.slice(start, block.end)
    const split = block.end === lineEnd ? [inside] : inside.split('\n')
    if (block.isRow) rows.push({ line: lines, text: inside })
    else for (const [index, line] of split.entries()) rows.push({ line: lines + index, text: line })
    lines += split.length
    start = block.end + 1
  }
  return { rows, lines, end: start }
}

type Block = { end: number; isRow: boolean }

const lineOf = (_start: number, lineEnd: number): Block => ({ end: lineEnd, isRow: true })

/**
 * The lines that make a row of CSV together; null when the rest may come with the next piece. Where a quote is not closed, or
 * closed by what does not end its field, every line up to there is a row by itself: the wrong one costs no other. Nothing that
 * comes after those lines is looked at, so that a file has the same rows wherever it is cut, and each line is read once.
 */
const csvBlock = (text: string, delimiter: string, isLast: boolean) => {
  const nextQuote = quotesOf(text)
  return (start: number, lineEnd: number): Block | null => {
    const limit = Math.max(start + rowMax, lineEnd)
    let end = lineEnd
    let lines = 1
    for (let quote = nextQuote(start); quote < end; quote = nextQuote(quote + 1)) {
      if (!isFieldStart(text, quote, start, delimiter)) continue
      let closing = nextQuote(quote + 1)
      while (closing < limit && text[closing + 1] === '"') closing = nextQuote(closing + 2)
      while (end < closing) {
        const next = text.indexOf('\n', end + 1)
        if (next < 0) return isLast ? { end, isRow: false } : null
        end = next
        if (++lines > rowLinesMax || end > limit) return { end, isRow: false }
      }
      const after = text[closing + 1] === '\r' ? closing + 2 : closing + 1
      if (after !== end && text[closing + 1] !== delimiter) return { end, isRow: false }
      quote = closing
    }
    return { end, isRow: true }
  }
}

const isFieldStart = (text: string, at: number, rowStart: number, delimiter: string): boolean =>
  // A byte order mark is no part of the first field.
  at === rowStart || text[at - 1] === delimiter || (at === rowStart + 1 && text[rowStart] === '\ufeff')

/**
 * Where the next quote is, asked for places that go on. Remembered, or every line of a text with few quotes would be read to
 * the end of the text.
 */
const quotesOf = (text: string) => {
  let next = -1
  return (at: number): number => {
    if (at > next) {
      const found = text.indexOf('"', at)
      next = found < 0 ? text.length : found
    }
    return next
  }
}
