/** Text without control characters: what a service answers must not steer the terminal. */
export const clean = (text: string): string =>
  [...text].filter((character) => character >= ' ' && (character < '\u007f' || character > '\u009f')).join('')

export const toJson = (value: unknown): string => JSON.stringify(value, null, 2)

type Cell = string | number | boolean | null | undefined

/** Aligned columns under a heading. `otherwise` is said when there are no rows. */
export const table = (heading: string[], rows: Cell[][], otherwise: string): string[] => {
  if (rows.length === 0) return [otherwise]
  const texts = [heading, ...rows.map((row) => row.map(cellText))]
  const widths = heading.map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)))
  return texts.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** `name   value`, one a line; values that are missing are left out. */
export const facts = (pairs: [name: string, value: Cell][]): string[] => {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined)
  const width = Math.max(0, ...known.map(([name]) => name.length))
  return known.map(([name, value]) => `${name.padEnd(width)}  ${cellText(value)}`)
}

const cellText = (value: Cell): string => {
  if (value === null || value === undefined) return '-'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return clean(String(value))
}

/** `4900` minor units as `49.00 USD`, with as many decimals as the currency has. */
export const moneyText = ({ amountMinor, currency }: { amountMinor: string; currency: string }): string => {
  const decimals =
    new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
  const negative = amountMinor.startsWith('-')
  const digits = amountMinor.replace('-', '').padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  return `${negative ? '-' : ''}${whole}${decimals === 0 ? '' : `.${digits.slice(-decimals)}`} ${currency}`
}
