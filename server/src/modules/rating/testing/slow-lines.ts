import type { RatingPreviewRequest, RatingPrice } from '@turnpike/contract'
import { bucketsIn, quantityIn, type RawRecord, recordsOf } from './slow-measure.ts'
import {
  add,
  addUp,
  countOut,
  countTransactions,
  type Fraction,
  type Free,
  least,
  less,
  multiply,
  negative,
  nothing,
  type Product,
  read,
  rounded,
  sum,
} from './slow-price.ts'
import { type Mark, monthsLater, ms, slowShare } from './slow-time.ts'

/** `changed`: the one half of a change of plan. */
export type SlowCharge = NonNullable<RatingPreviewRequest['charges']>[number] & {
  changed?: { from?: boolean; until?: boolean }
}
export type SlowLine = { key: string; once: boolean; amount: Fraction }
type Part = { from: Mark; to: Mark; price: RatingPrice; quantity: string | number }

/** The lines of one charge. Between any two instants that the request names, nothing changes. */
export const linesOf = (request: RatingPreviewRequest, charge: SlowCharge): SlowLine[] => {
  const { key, price, quantity } = charge
  const once = price.model === 'one_time'
  const isHeld = quantity !== undefined || price.model === 'flat' || once
  const parts = partsOf(request, charge, isHeld)
  if (parts.length === 0) return []
  const line = (amount: Fraction): SlowLine => ({ key, once, amount })
  const rules = request.settings ?? {}
  // Flat parts that nothing is a share of are ticked off when they are due.
  const ticked = new Map<RatingPrice, Set<number>>()
  const tick = (part: Part): Product[] => {
    const seen = ticked.get(part.price) ?? new Set()
    ticked.set(part.price, seen)
    const flats = countOut(part.price, read(part.quantity), freeOf(charge)).filter(
      ({ flatOf }) => flatOf !== undefined && !seen.has(flatOf),
    )
    for (const { flatOf } of flats) seen.add(flatOf!)
    return flats
  }
  const cost = (part: Part, share: Fraction) => {
    const all = countOut(part.price, read(part.quantity), freeOf(charge))
    if (part.price.flatProrated !== false) return addUp(all, share, rules)
    const shared = all.filter(({ flatOf }) => flatOf === undefined)
    return add(addUp(shared, share, rules), addUp(share[0] === 0n ? [] : tick(part), [1n, 1n], rules))
  }
  if (once) return [line(cost(parts[0]!, [1n, 1n]))]
  if (charge.alreadyBilled !== undefined) {
    // As if two invoices had been written, one of all that is known now and one of what was known then.
    const [part] = parts
    const all = recordsOf(request, charge)
    const billed = read(charge.alreadyBilled)
    const of = (quantity: Fraction) =>
      bounded(
        request,
        parts,
        addUp(countOut(part!.price, quantity, allowance(request, charge, parts)), [1n, 1n], rules),
        'usage',
      )
    const now = of(add(billed, quantityIn(request, charge, all, part!.from.at, part!.to.at)))
    return [line(add(now, negative(of(billed))))]
  }
  if (!isHeld) return [line(bounded(request, parts, usageCost(request, charge, parts), 'usage'))]
  const { basis, style, atEnd } = rules.proration ?? {}
  const end: Mark = { at: ms(request.period!.end), kind: 'period' }
  if (style === 'credit_and_charge')
    return parts.flatMap((part, index) => {
      if (part.from.kind === 'period') tick(part)
      const begins = part.from.kind === 'period' ? [] : [slowShare(request, part.from, end)]
      const stays = part.to.kind === 'period' || (part.to.kind === 'end' && atEnd === 'whole')
      const ends = stays ? [] : [slowShare(request, part.to, end, 'rest_of_old')]
      const charged =
        basis === 'none' ? (part.from.kind === 'start' && index === 0 ? [[1n, 1n] as Fraction] : []) : begins
      const credited = basis === 'none' ? [] : ends
      const isSomething = ([n]: Fraction) => n !== 0n
      return [
        ...charged.filter(isSomething).map((share) => line(cost(part, share))),
        ...credited.filter(isSomething).map((share) => line(negatively(part, share, charge, request))),
      ]
    })
  if (basis === 'none') {
    if (parts[0]!.from.kind === 'change') return []
    return [line(bounded(request, [parts[0]!], cost(parts[0]!, [1n, 1n]), [1n, 1n]))]
  }
  const shares = parts.map((part) =>
    slowShare(request, part.from, part.to.kind === 'end' && atEnd === 'whole' ? end : part.to),
  )
  return [line(bounded(request, parts, sum(parts.map((part, index) => cost(part, shares[index]!))), sum(shares)))]
}

const negatively = (part: Part, share: Fraction, charge: SlowCharge, request: RatingPreviewRequest): Fraction => {
  const back = countOut(part.price, read(part.quantity), freeOf(charge))
    .filter(({ flatOf }) => flatOf === undefined || part.price.flatProrated !== false)
    .map((product): Product => ({ ...product, quantity: negative(product.quantity) }))
  return addUp(back, share, request.settings ?? {})
}

const freeOf = ({ included }: SlowCharge): Free =>
  included ? { quantity: read(included.quantity), mode: included.mode ?? 'before' } : null

/** The least and most of the last price's line. */
const bounded = (
  request: RatingPreviewRequest,
  parts: Part[],
  plain: Fraction,
  share: Fraction | 'usage',
): Fraction => {
  const { minimum, maximum, prorateBounds } = parts.at(-1)!.price
  const from: Mark = { at: parts[0]!.from.at, kind: 'start' }
  const to: Mark = { at: parts.at(-1)!.to.at, kind: 'end' }
  const scale: Fraction = !prorateBounds ? [1n, 1n] : share === 'usage' ? slowShare(request, from, to) : share
  let amount = plain
  if (minimum !== undefined && less(amount, multiply(read(minimum), scale))) amount = multiply(read(minimum), scale)
  if (maximum !== undefined && less(multiply(read(maximum), scale), amount)) amount = multiply(read(maximum), scale)
  if (request.settings?.roundAt !== 'step') return amount
  const difference = add(amount, negative(plain))
  return add(plain, [rounded(difference, request.settings.rounding ?? 'half_up'), 1n])
}

const partsOf = (request: RatingPreviewRequest, charge: SlowCharge, isHeld: boolean): Part[] => {
  const { period, trial, timeZone = 'UTC' } = request
  let from: Mark = { at: ms(period!.start), kind: 'period' }
  let to: Mark = { at: ms(period!.end), kind: 'period' }
  // What is paid in advance and changes at once was paid as it stood before.
  const begins = from.at
  const isPaid = isHeld && request.settings?.proration?.style === 'credit_and_charge'
  if (charge.from && (ms(charge.from) > begins || (isPaid && charge.changed?.from && ms(charge.from) === begins)))
    from = { at: ms(charge.from), kind: charge.changed?.from ? 'change' : 'start' }
  if (charge.until && ms(charge.until) < to.at)
    to = { at: ms(charge.until), kind: charge.changed?.until ? 'change' : 'end' }
  const usageIsFree = trial?.usage !== 'charged'
  if (trial && ms(trial.endsAt) > from.at) {
    if (ms(trial.endsAt) >= ms(period!.end) && (isHeld || usageIsFree)) return []
    if (isHeld ? trial.firstPeriod !== 'whole' : usageIsFree) from = { at: ms(trial.endsAt), kind: 'start' }
  }
  const isGone = isPaid && from.kind === 'period' && to.kind === 'change' && to.at === begins
  if (from.at >= to.at && !isGone) return []
  const ramp = (charge.ramp ?? []).map((step) => ({
    at: monthsLater(request.subscriptionStart ?? period!.start, step.fromMonth, timeZone),
    price: step.price,
    quantity: undefined,
  }))
  const changes = (request.changes ?? []).filter((change) => change.charge === charge.key)
  const turns = [...ramp, ...changes.map((change) => ({ ...change, at: ms(change.at) }))].sort((a, b) => a.at - b.at)
  const isAtOnce = isPaid && from.kind === 'period' && changes.some((change) => ms(change.at) === begins)
  const inside = turns.map(({ at }) => at).filter((at) => at > from.at && at < to.at)
  const cuts = [...(isAtOnce ? [begins] : []), ...new Set(inside)]
  const marks: Mark[] = [from, ...cuts.map((at): Mark => ({ at, kind: 'change' })), to]
  return marks.slice(0, -1).map((mark, index) => {
    const before = isAtOnce && index === 0
    const past = turns.filter(
      (turn) => turn.at <= mark.at && !(before && turn.at === begins && !ramp.includes(turn as never)),
    )
    return {
      from: mark,
      to: marks[index + 1]!,
      price: past.findLast((turn) => turn.price)?.price ?? charge.price,
      quantity: past.findLast((turn) => turn.quantity !== undefined)?.quantity ?? charge.quantity ?? 1,
    }
  })
}

const usageCost = (request: RatingPreviewRequest, charge: SlowCharge, given: Part[]): Fraction => {
  const rules = request.settings ?? {}
  const whole: Fraction = [1n, 1n]
  const isOneNumber = ['max', 'unique', 'latest'].includes(charge.aggregation ?? 'sum')
  const parts = isOneNumber ? [{ ...given.at(-1)!, from: given[0]!.from }] : given
  const all = recordsOf(request, charge)
  const free = allowance(request, charge, parts)
  let left = free?.quantity ?? nothing
  let before = nothing
  let total = nothing
  for (const part of parts) {
    const now = free && { ...free, quantity: left }
    const price = (quantity: Fraction, sign: 1 | -1 = 1) =>
      addUp(
        countOut(part.price, quantity, now).map((each) =>
          sign === 1 ? each : { ...each, quantity: negative(each.quantity) },
        ),
        whole,
        rules,
      )
    const used = quantityIn(request, charge, all, part.from.at, part.to.at)
    if (charge.price.model === 'percentage') {
      total = add(total, percentage(request, charge, part, all, now))
    } else if (charge.bucket && charge.bucket.priced !== 'on_sum') {
      // Equal products of many buckets are one, which is rounded once.
      const each = bucketsIn(request, charge, all, part.from.at, part.to.at).flatMap((bucket) =>
        countOut(part.price, bucket, now),
      )
      total = add(total, addUp(alike(each), whole, rules))
      continue
    } else if (rules.onSplit === 'cumulative') {
      total = sum([total, price(add(before, used)), part === parts[0] ? nothing : price(before, -1)])
      before = add(before, used)
      continue
    } else total = add(total, price(used))
    if (rules.onSplit !== 'cumulative') left = add(left, negative(least(left, used[0] < 0n ? nothing : used)))
  }
  return total
}

const alike = (products: Product[]): Product[] => {
  const kinds: Product[] = []
  for (const product of products) {
    const known = kinds.findIndex(
      ({ amount, isShare = false }) =>
        amount[0] * product.amount[1] === product.amount[0] * amount[1] && isShare === (product.isShare ?? false),
    )
    if (known === -1) kinds.push(product)
    else kinds[known] = { ...product, quantity: add(kinds[known]!.quantity, product.quantity) }
  }
  return kinds
}

const percentage = (
  request: RatingPreviewRequest,
  charge: SlowCharge,
  { from, to, price }: Part,
  all: RawRecord[],
  free: Free,
) => {
  const usage = request.usage?.find(({ meter }) => meter === (charge.meter ?? charge.key))
  const rules = request.settings ?? {}
  if (usage?.quantity === undefined) {
    const moved = all
      .filter(({ at }) => at >= from.at && at < to.at)
      .map(({ quantity }) => (quantity[0] < 0n ? nothing : quantity))
    return addUp(countTransactions(price, moved, free, rules), [1n, 1n], rules)
  }
  // Only their sum is known, and how many they were.
  const quantity = read(usage.quantity)
  const isRepriced = free?.mode === 'reprice_all' && less(free.quantity, quantity)
  const charged = free && !isRepriced ? add(quantity, negative(least(free.quantity, quantity))) : quantity
  if (charged[0] <= 0n) return nothing
  return add(
    multiply(multiply(read(price.percent!), [1n, 100n]), charged),
    multiply(read(price.fixedFee ?? 0), [BigInt(usage.transactions ?? 0), 1n]),
  )
}

/** What is free in the time that the charge lives: its own and what was carried over, as long as that lives. */
const allowance = (request: RatingPreviewRequest, { included }: SlowCharge, parts: Part[]): Free => {
  if (!included) return null
  const share: Fraction = included.prorated
    ? slowShare(request, { at: parts[0]!.from.at, kind: 'start' }, { at: parts.at(-1)!.to.at, kind: 'end' })
    : [1n, 1n]
  const old = (included.rollover?.lots ?? []).filter(
    ({ periodsAgo }) => periodsAgo <= (included.rollover!.expiresAfterPeriods ?? 1),
  )
  return {
    mode: included.mode ?? 'before',
    quantity: sum([multiply(read(included.quantity), share), ...old.map(({ quantity }) => read(quantity))]),
  }
}
