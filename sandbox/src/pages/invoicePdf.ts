import { date, moneyWithCode, period } from './format.ts'
import { type FoundInvoice, title, totals } from './invoicePage.ts'
import { type PdfPage, type PdfText, pdfPage, writePdf } from './pdf.ts'

const { margin, width, height } = pdfPage
const right = width - margin
const bottom = 96

export function invoicePdf(view: FoundInvoice): Buffer {
  const pages: PdfPage[] = []
  let page = newPage()
  let y = height - margin

  function newPage(): PdfPage {
    const fresh: PdfPage = { texts: [], rules: [] }
    fresh.texts.push({ x: margin, y: 48, text: 'Made by the Turnpike sandbox. No money moved.', size: 9 })
    pages.push(fresh)
    return fresh
  }
  const write = (texts: Omit<PdfText, 'y'>[], step: number) => {
    if (y - step < bottom) {
      page = newPage()
      y = height - margin
    }
    y -= step
    page.texts.push(...texts.map((text) => ({ ...text, y })))
  }
  const rule = () => {
    y -= 8
    page.rules.push({ y })
  }
  const amount = (minor: number) => moneyWithCode(minor, view.currency)

  write([{ x: margin, text: view.merchantName, size: 11, bold: true }], 12)
  write([{ x: margin, text: title(view), size: 22, bold: true }], 36)
  write([{ x: margin, text: `Status: ${view.status}`, size: 10 }], 26)
  write([{ x: margin, text: `Date: ${date(view.createdAt)}`, size: 10 }], 15)
  if (view.dueAt !== null) write([{ x: margin, text: `Due: ${date(view.dueAt)}`, size: 10 }], 15)
  if (view.paidAt !== null) write([{ x: margin, text: `Paid: ${date(view.paidAt)}`, size: 10 }], 15)
  for (const [index, text] of [view.customer.name, view.customer.email].filter((part) => part !== null).entries())
    write([{ x: margin, text: index === 0 ? `Billed to: ${text}` : text, size: 10 }], 15)

  write(
    [
      { x: margin, text: 'Description', size: 10, bold: true },
      { x: right, text: 'Amount', size: 10, bold: true, align: 'right' },
    ],
    40,
  )
  rule()
  for (const line of view.lines) {
    const [first = '', ...more] = wrap(line.description, 68)
    write(
      [
        { x: margin, text: first, size: 10 },
        { x: right, text: amount(line.amount), size: 10, align: 'right' },
      ],
      18,
    )
    for (const text of more) write([{ x: margin, text, size: 10 }], 13)
    if (line.period && line.period.end > line.period.start)
      write([{ x: margin, text: period(line.period.start, line.period.end), size: 8.5 }], 12)
  }
  rule()
  for (const [label, minor] of totals(view)) {
    const bold = label === 'Total'
    write(
      [
        { x: 340, text: label, size: 10, bold },
        { x: right, text: amount(minor), size: 10, bold, align: 'right' },
      ],
      18,
    )
  }
  return writePdf(`${title(view)}, ${view.merchantName}`, pages)
}

function wrap(text: string, limit: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < limit) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
