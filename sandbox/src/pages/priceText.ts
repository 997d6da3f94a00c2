import type { Recurrence } from '../engine/hosted.ts'
import { count, every, unitPrice } from './format.ts'
import { type Content, html } from './html.ts'

type Tier = { upTo: number | null; unitAmountDecimal: string | null; flatAmountDecimal: string | null }

/** What a price says beyond one amount per unit. Decimal strings count minor units. */
export type Pricing = {
  unitAmountDecimal: string | null
  unitLabel: string | null
  tiersMode: 'graduated' | 'volume' | null
  tiers: readonly Tier[]
}

type PriceText = {
  currency: string
  unitAmount: number | null
  recurrence: Recurrence | null
  pricing?: Pricing | undefined
}

// "$10.00 per seat per month", "$49.00 every 3 months", "1,000 calls included for $20.00 per month"
export function priceText(price: PriceText): string {
  const interval = price.recurrence ? ` ${every(price.recurrence.interval, price.recurrence.count)}` : ''
  const decimal = price.pricing?.unitAmountDecimal ?? (price.unitAmount === null ? null : String(price.unitAmount))
  const [first] = price.pricing?.tiers ?? []
  if (first) return `${firstTier(price, first)}${interval}`
  if (decimal === null) return `Price by quantity${interval ? `,${interval}` : ''}`
  const label = price.pricing?.unitLabel ?? (price.recurrence?.metered ? 'unit used' : null)
  return `${unitPrice(decimal, price.currency)}${label ? ` per ${label}` : ''}${interval}`
}

// Tiers are spelled out, so that what is included and what comes after it is clear before paying.
export function tierTable(price: PriceText): Content {
  const tiers = price.pricing?.tiers ?? []
  if (tiers.length === 0) return null
  return html`<table class="tiers">
    <caption>${
      price.pricing?.tiersMode === 'volume'
        ? `All ${plural(price)} cost what the total reaches`
        : `Each step applies to the ${plural(price)} within it`
    }</caption>
    <thead class="visually-hidden"><tr><th scope="col">Quantity</th><th scope="col">Price</th></tr></thead>
    <tbody>${tiers.map(
      (tier, index) => html`<tr>
      <th scope="row">${range(index === 0 ? null : tiers[index - 1]!.upTo, tier.upTo)} ${plural(price)}</th>
      <td class="figure">${tierPrice(price, tier)}</td>
    </tr>`,
    )}</tbody>
  </table>`
}

function range(previous: number | null, upTo: number | null): string {
  if (previous === null) return upTo === null ? 'All' : `First ${count(upTo)}`
  if (upTo === null) return `Over ${count(previous)}`
  return previous + 1 === upTo ? count(upTo) : `${count(previous + 1)} to ${count(upTo)}`
}

function firstTier(price: PriceText, tier: Tier): string {
  if (!isZero(tier.unitAmountDecimal) || tier.upTo === null) return `From ${tierPrice(price, tier)}`
  const flat = isZero(tier.flatAmountDecimal) ? '' : ` for ${unitPrice(tier.flatAmountDecimal!, price.currency)}`
  return `${count(tier.upTo)} ${plural(price)} included${flat}`
}

function tierPrice(price: PriceText, tier: Tier): string {
  const flat = isZero(tier.flatAmountDecimal) ? null : unitPrice(tier.flatAmountDecimal!, price.currency)
  const unit = isZero(tier.unitAmountDecimal) ? null : `${unitPrice(tier.unitAmountDecimal!, price.currency)} each`
  if (flat && unit) return `${flat} + ${unit}`
  return flat ? `${flat} in all` : (unit ?? 'Included')
}

const isZero = (decimal: string | null) => decimal === null || /^0*(\.0*)?$/.test(decimal)
const plural = (price: PriceText) => (price.pricing?.unitLabel ? `${price.pricing.unitLabel}s` : 'units')
