import type { Price, Product, Stored } from '../objects/types.ts'
import type { World } from '../world.ts'
import type { Pricing } from './priceText.ts'

/** Fractions of a minor unit, tiers and the unit's name, found by the id of a price or of a checkout's line. */
export function pricingOf(world: World, id: string): Pricing | undefined {
  const found = read<Stored>(world, id)
  const price = found?.object === 'item' ? read<Price>(world, String(found.price)) : (found as Price | undefined)
  if (price?.object !== 'price') return undefined
  return {
    unitAmountDecimal: price.unit_amount_decimal,
    unitLabel: read<Product>(world, price.product)?.unit_label ?? null,
    tiersMode: price.tiers_mode,
    tiers: (price._.tiers ?? []).map((tier) => ({
      upTo: tier.up_to,
      unitAmountDecimal: tier.unit_amount_decimal,
      flatAmountDecimal: tier.flat_amount_decimal,
    })),
  }
}

function read<Kind extends Stored>(world: World, id: string): Kind | undefined {
  const found = world.store.find(id)
  return found && (JSON.parse(found.body) as Kind)
}
