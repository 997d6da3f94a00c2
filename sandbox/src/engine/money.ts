import { Decimal } from 'decimal.js'
import type { Price } from '../objects/types.ts'

const zeroDecimal = new Set([
  'bif',
  'clp',
  'djf',
  'gnf',
  'jpy',
  'kmf',
  'krw',
  'mga',
  'pyg',
  'rwf',
  'ugx',
  'vnd',
  'vuv',
  'xaf',
  'xof',
  'xpf',
])

/** "$10.00", "¥500": as Stripe writes amounts in descriptions. */
export function moneyText(amount: number, currency: string): string {
  const digits = zeroDecimal.has(currency) ? 0 : 2
  return new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency: currency.toUpperCase(),
    minimumFractionDigits: digits,
  }).format(amount / 10 ** digits)
}

/** A share of an amount, rounded half away from zero to the minor unit. */
export function share(amount: number, part: number, whole: number): number {
  if (whole <= 0) return 0
  return new Decimal(amount).times(part).div(whole).toDecimalPlaces(0, Decimal.ROUND_HALF_UP).toNumber()
}

/** "1 user × Seats (at $10.00 / month)" [the unit only when the product names one]. */
export function lineDescription(
  price: Price,
  product: { name: string; unit_label: string | null },
  quantity: number | null,
): string {
  const unit = product.unit_label ? ` ${product.unit_label}` : ''
  const count = `${quantity ?? 0}${unit} × ${product.name}`
  if (!price.recurring || price.billing_scheme === 'tiered' || price.unit_amount === null) return count
  return `${count} (at ${moneyText(price.unit_amount, price.currency)} / ${intervalText(price)})`
}

function intervalText(price: Price): string {
  const { interval, interval_count: count } = price.recurring!
  return count === 1 ? interval : `every ${count} ${interval}s`
}

/** "10 Nov 2025", the form that dates take in proration lines. */
export function dateText(at: number): string {
  return new Date(at * 1000).toLocaleDateString('en-GB', {
    day: '2-digit',
    month: 'short',
    year: 'numeric',
    timeZone: 'UTC',
  })
}
