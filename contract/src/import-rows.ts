export const importFormats = ['csv', 'ndjson'] as const
export type ImportFormat = (typeof importFormats)[number]

/** A row that is longer than this is none: a quote was opened and never closed. */
const rowMax = 65_536

/**
 * Tells the rows of a piece of a file apart, each with the number of its first line from the start of the piece. `end` is
 * where the last whole row ends: sender and service must agree on where a file can be cut, so that both ask here. In CSV a
 * line break between quotes belongs to its field. No more than `most` rows are looked for: a small piece can have very many.
 */
export const rowsOf = (
  text: string,
  format: ImportFormat,
  most = Number.POSITIVE_INFINITY,
): { rows: { line: number; text: string }[]; lines: number; end: number } => {
  const rows: { line: number; text: string }[] = []
  let start = 0
  let lines = 0
  const nextQuote = quotesOf(text)
  const quotesIn = (from: number, to: number): number => {
    let quotes = 0
    for (let at = nextQuote(from); at < to; at = nextQuote(at + 1)) quotes++
    return quotes
  }
  while (start < text.length && rows.length < most) {
    let end = text.indexOf('\n', start)
    if (end < 0) break
    let within = 1
    if (format === 'csv') {
      let quotes = quotesIn(start, end)
      let closing = end
      while (quotes % 2 === 1 && closing >= 0 && closing - start <= rowMax) {
        const next = text.indexOf('\n', closing + 1)
        if (next < 0) {
          // The rest of this row may come with the next piece.
          if (text.length - start <= rowMax) return { rows, lines, end: start }
          break
        }
        quotes += quotesIn(closing, next)
        closing = next
        within++
      }
      // Never closed: then the line is a row, and a wrong one.
      if (quotes % 2 === 1) within = 1
      else end = closing
    }
    rows.push({ line: lines, text: text.slice(start, end) })
    lines += within
    start = end + 1
  }
  return { rows, lines, end: start }
}

/** Where the next quote is. Remembered, or every line of a text with few quotes would be read to the end of the text. */
const quotesOf = (text: string) => {
  let [from, next] = [0, -1]
  return (at: number): number => {
    if (at < from || at > next) {
      const found = text.indexOf('"', at)
      ;[from, next] = [at, found < 0 ? text.length : found]
    }
    return next
  }
}
