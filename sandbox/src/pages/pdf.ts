export type PdfText = { x: number; y: number; text: string; size: number; bold?: boolean; align?: 'left' | 'right' }
export type PdfPage = { texts: PdfText[]; rules: { y: number }[] }

export const pdfPage = { width: 595, height: 842, margin: 56 } as const

// A PDF 1.4 file by hand: one page object per page and the two Helvetica fonts that every reader has.
export function writePdf(title: string, pages: readonly PdfPage[]): Buffer {
  const pageIds = pages.map((_, index) => 6 + index * 2)
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R /Lang (en) >>',
    `<< /Type /Pages /Kids [${pageIds.map((id) => `${id} 0 R`).join(' ')}] /Count ${pages.length} >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>',
    `<< /Title ${literal(title)} /Producer (Turnpike sandbox) >>`,
    ...pages.flatMap((page, index) => {
      const stream = drawing(page)
      return [
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${pdfPage.width} ${pdfPage.height}] /Contents ${pageIds[index]! + 1} 0 R /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>`,
        `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
      ]
    }),
  ]
  // The strings hold one character per byte, so that lengths and offsets count bytes.
  let file = '%PDF-1.4\n%\u00e2\u00e3\u00cf\u00d3\n'
  const offsets = objects.map((object, index) => {
    const offset = file.length
    file += `${index + 1} 0 obj\n${object}\nendobj\n`
    return offset
  })
  const start = file.length
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n`
  file += offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  file += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R /Info 5 0 R >>\nstartxref\n${start}\n%%EOF\n`
  return Buffer.from(file, 'latin1')
}

function drawing(page: PdfPage): string {
  const { width, margin } = pdfPage
  const rules = page.rules.map(({ y }) => `0.8 G 0.75 w ${margin} ${y} m ${width - margin} ${y} l S`)
  const texts = page.texts.map(({ x, y, text, size, bold, align }) => {
    const left = align === 'right' ? x - (widthOf(text) * size) / 1000 : x
    return `BT /${bold ? 'F2' : 'F1'} ${size} Tf ${left.toFixed(2)} ${y} Td ${literal(text)} Tj ET`
  })
  return [...rules, ...texts].join('\n')
}

const outsideLatin1: Readonly<Record<string, string>> = {
  '€': '\u0080',
  '…': '\u0085',
  '‘': '\u0091',
  '’': '\u0092',
  '“': '\u0093',
  '”': '\u0094',
  '•': '\u0095',
  '–': '\u0096',
  '—': '\u0097',
  '−': '-',
  '\u2009': ' ',
  '\u202f': ' ',
}

function literal(text: string): string {
  const bytes = [...text].map((character) => outsideLatin1[character] ?? (character > '\u00ff' ? '?' : character))
  return `(${bytes
    .join('')
    .replace(/[\\()]/g, '\\$&')
    .replace(/[\r\n]/g, ' ')})`
}

// Widths of Helvetica from space to tilde in thousandths of the size; they place the figures on the right.
const widths = [
  278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
  556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
  722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
  556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
  260, 334, 584,
]

function widthOf(text: string): number {
  return [...text].reduce((sum, character) => sum + (widths[character.charCodeAt(0) - 32] ?? 278), 0)
}
