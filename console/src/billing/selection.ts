import type { BillingStatus, PlanOffer } from '@turnpike/contract'
import type { Search } from '../search.ts'
import type { Wish } from './useSubscriptionCommand.ts'

type Held = NonNullable<BillingStatus['subscription']>
type AddOns = { addOn: string; quantity: number }[]

/** What stands in the address of the change page: only what was chosen, everything else stays as it is. */
export type Selection = {
  offer: PlanOffer | undefined
  price: PlanOffer['prices'][number] | undefined
  seats: number | undefined
  addOns: AddOns | undefined
}

export function selectionOf(view: Search, offers: PlanOffer[], held: Held | null): Selection {
  const offer = offers.find(({ plan }) => plan === (view.plan ?? held?.plan.plan))
  const price =
    offer?.prices.find(({ price }) => price === view.price) ??
    offer?.prices.find(({ price }) => price === held?.price) ??
    offer?.prices[0]
  return {
    offer,
    price,
    seats: view.seats && /^[1-9]\d{0,5}$/.test(view.seats) ? Number(view.seats) : undefined,
    addOns: view.addOns === undefined ? undefined : parseAddOns(view.addOns),
  }
}

/** The wish to preview: names only what is different, so that what stays keeps its version and price (CAT-3). */
export function wishOf({ offer, price, seats, addOns }: Selection, held: Held | null): Wish | null {
  if (!offer || !price) return null
  const more = {
    ...(seats !== undefined && offer.seats ? { seats } : {}),
    ...(addOns === undefined ? {} : { addOns }),
  }
  if (!held) return { action: 'create', plan: offer.plan, price: price.price, ...more }
  const other = offer.plan !== held.plan.plan
  return {
    action: 'change',
    ...(other ? { plan: offer.plan } : {}),
    ...(other || price.price !== held.price ? { price: price.price } : {}),
    ...more,
  }
}

/** `call_pack:2,extra_projects:1`; `-` is none at all, which is not the same as unsaid. */
export function addOnsText(addOns: AddOns): string {
  const held = addOns.filter(({ quantity }) => quantity > 0)
  return held.length === 0 ? '-' : held.map(({ addOn, quantity }) => `${addOn}:${quantity}`).join(',')
}

function parseAddOns(text: string): AddOns {
  return text.split(',').flatMap((part) => {
    const [addOn = '', quantity = ''] = part.split(':')
    return /^[a-z]\w*$/.test(addOn) && /^[1-9]\d{0,2}$/.test(quantity) ? [{ addOn, quantity: Number(quantity) }] : []
  })
}
