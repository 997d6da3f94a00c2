export const importFormats = ['csv', 'ndjson'] as const
export type ImportFormat = (typeof importFormats)[number]

/** A row that is longer than this is none: a quote was opened and never closed. */
const rowMax = 65_536

/**
 * Tells the rows of a piece of a file apart, each with the number of its first line from the start of the piece. `end` is
 * where the last whole row ends: sender and service must agree on where a file can be cut, so that both ask here. In CSV a
 * line break between quotes belongs to its field.
 */
export const rowsOf = (
  text: string,
  format: ImportFormat,
): { rows: { line: number; text: string }[]; lines: number; end: number } => {
  const rows: { line: number; text: string }[] = []
  let start = 0
  let lines = 0
  while (start < text.length) {
    let end = text.indexOf('\n', start)
    if (end < 0) break
    let within = 1
    if (format === 'csv') {
      let quotes = quotesIn(text, start, end)
      let closing = end
      while (quotes % 2 === 1 && closing >= 0 && closing - start <= rowMax) {
        const next = text.indexOf('\n', closing + 1)
        if (next < 0) {
          // The rest of this row may come with the next piece.
          if (text.length - start <= rowMax) return { rows, lines, end: start }
          break
        }
        quotes += quotesIn(text, closing, next)
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

const quotesIn = (text: string, from: number, to: number): number => {
  let quotes = 0
  for (let at = text.indexOf('"', from); at >= 0 && at < to; at = text.indexOf('"', at + 1)) quotes++
  return quotes
}
