import type { RatingPreviewRequest } from '@turnpike/contract'
import { linesOf, type SlowCharge } from './slow-lines.ts'
import { type Fraction, less, multiply, read, rounded, sum } from './slow-price.ts'
import { type Mark, monthsLater, ms, slowShare } from './slow-time.ts'

/**
 * A request, counted out: unit by unit, transaction by transaction, cent by cent, with fractions that are never reduced, from
 * raw records. It shares nothing with the module but the request, and is slow.
 */
export const slowRate = (request: RatingPreviewRequest & { charges?: SlowCharge[] }) => {
  const rules = request.settings ?? {}
  const mode = rules.rounding ?? 'half_up'
  const exact = (request.charges ?? []).flatMap((charge) => linesOf(request, charge))
  const cents =
    rules.roundAt === 'invoice'
      ? roundedTogether(
          exact.map(({ amount }) => amount),
          rules,
        )
      : null
  const open = exact.map((line, index) => ({ ...line, cents: cents ? cents[index]! : rounded(line.amount, mode) }))
  const lines = open.map(({ key, cents: amount }) => ({ key, cents: amount }))
  const bill = billOf(request, open)
  const steps = { minimum: raise, maximum: cut, discount, credit, tax }
  for (const kind of rules.order ?? (['minimum', 'maximum', 'discount', 'credit', 'tax'] as const)) steps[kind](bill)
  const total = allOf(bill) + bill.tax
  return { lines, total, due: dueOf(request, total) }
}
export const slowTotal = (request: RatingPreviewRequest): bigint => slowRate(request).total

type Open = { key: string; once: boolean; cents: bigint }
type Bill = { request: RatingPreviewRequest; open: Open[]; tax: bigint; mode: string }
const billOf = (request: RatingPreviewRequest, open: Open[]): Bill => ({
  request,
  open,
  tax: 0n,
  mode: request.settings?.rounding ?? 'half_up',
})
const allOf = ({ open }: Bill): bigint => open.reduce((all, { cents }) => all + cents, 0n)
const counts = ({ open }: Bill, charges: string[] | undefined): Open[] =>
  open.filter(({ key, once }) => (charges ? charges.includes(key) : !once))
const payable = ({ open }: Bill, charges: string[] | undefined): Open[] =>
  open.filter(({ key, cents }) => cents > 0n && (!charges || charges.includes(key)))
const worth = (lines: Open[]): bigint => lines.reduce((all, { cents }) => all + cents, 0n)

/** Each line gives its part of the whole; the cents that are left over come from where most of a cent was cut off. */
const take = ({ request }: Bill, lines: Open[], wanted: bigint) => {
  const all = worth(lines)
  if (all <= 0n || wanted <= 0n) return
  const had = lines.map(({ cents }) => cents)
  let left = wanted
  lines.forEach((line, index) => {
    const part = (wanted * had[index]!) / all
    line.cents -= part
    left -= part
  })
  const cutOff = lines.map((_, index) => (wanted * had[index]!) % all)
  const remainder = request.settings?.remainder ?? 'largest_remainder'
  while (left > 0n) {
    const able = lines.map((_, index) => index).filter((index) => lines[index]!.cents > 0n)
    const next =
      remainder === 'first_line'
        ? able[0]!
        : remainder === 'last_line'
          ? able.at(-1)!
          : able.reduce((most, index) => (cutOff[index]! > cutOff[most]! ? index : most))
    lines[next]!.cents -= 1n
    cutOff[next] = -1n
    left -= 1n
  }
}

/** Lines that are whole below, and the sum's missing cents above, where most was cut off. */
const roundedTogether = (
  amounts: Fraction[],
  { rounding = 'half_up', remainder = 'largest_remainder' }: NonNullable<RatingPreviewRequest['settings']>,
): bigint[] => {
  const below = amounts.map(([n, d]) => (n >= 0n ? n / d : -((-n + d - 1n) / d)))
  let missing = rounded(sum(amounts), rounding) - below.reduce((all, cents) => all + cents, 0n)
  const rest = amounts.map(([n, d], index): Fraction => [n - below[index]! * d, d])
  const parted = rest.map((_, index) => index).filter((index) => rest[index]![0] > 0n)
  while (missing > 0n && parted.length > 0) {
    let place = remainder === 'last_line' ? parted.length - 1 : 0
    if (remainder === 'largest_remainder')
      parted.forEach((index, at) => {
        if (less(rest[parted[place]!]!, rest[index]!)) place = at
      })
    below[parted[place]!]! += 1n
    parted.splice(place, 1)
    missing -= 1n
  }
  return below
}

const scaled = ({ request, mode }: Bill, amount: string | number, prorated: boolean | undefined): bigint => {
  if (!prorated) return read(amount)[0]
  const { period, trial } = request
  const begins =
    trial && trial.firstPeriod !== 'whole' && ms(trial.endsAt) > ms(period!.start)
      ? ms(trial.endsAt)
      : ms(period!.start)
  if (begins >= ms(period!.end)) return 0n
  const from: Mark = { at: begins, kind: 'start' }
  const share = slowShare(request, from, { at: ms(period!.end), kind: 'end' })
  return rounded(multiply(read(amount), less([1n, 1n], share) ? [1n, 1n] : share), mode)
}

const raise = (bill: Bill) => {
  const { minimum } = bill.request
  if (!minimum || minimum.trueUp === 'later') return
  const missing =
    scaled(bill, minimum.amount, minimum.prorated) -
    worth(counts(bill, minimum.charges)) -
    read(minimum.spentBefore ?? 0)[0]
  if (missing > 0n) bill.open.push({ key: '', once: false, cents: missing })
}
const cut = (bill: Bill) => {
  const { maximum } = bill.request
  if (!maximum) return
  const counted = counts(bill, maximum.charges)
  const excess = worth(counted) - scaled(bill, maximum.amount, maximum.prorated)
  take(
    bill,
    counted.filter(({ cents }) => cents > 0n),
    excess,
  )
}

const discount = (bill: Bill) => {
  const { request, mode } = bill
  const { stacking, discountOn } = request.settings ?? {}
  const at = ms(request.at ?? request.period!.end)
  const before = new Map(bill.open.map((line) => [line, line.cents]))
  for (const {
    percentOff,
    amountOff,
    charges,
    months,
    startsAt,
    countedBy,
    invoicesSoFar,
    onCredits,
  } of request.coupons ?? []) {
    if (startsAt && at < ms(startsAt)) continue
    if (months && countedBy === 'invoices' && (invoicesSoFar ?? 0) >= months) continue
    if (months && countedBy !== 'invoices' && monthsLater(startsAt!, months, request.timeZone ?? 'UTC') <= at) continue
    const lines = payable(bill, charges)
    const most = (wanted: bigint, of: Open[]) => (wanted < worth(of) ? wanted : worth(of))
    const base = (line: Open) => (stacking === 'additive' ? before.get(line)! : line.cents)
    const part = (cents: bigint) => rounded(multiply([cents, 100n], read(percentOff ?? 0)), mode)
    if (amountOff !== undefined) take(bill, lines, most(read(amountOff)[0], lines))
    else if (discountOn === 'lines') for (const line of lines) take(bill, [line], most(part(base(line)), [line]))
    else take(bill, lines, most(part(lines.reduce((all, line) => all + base(line), 0n)), lines))
    if (!onCredits) continue
    // What was given back, looked at from the other side, is discounted like what is charged.
    const given = bill.open.filter(({ key, cents }) => cents < 0n && (!charges || charges.includes(key)))
    const turned = given.map((line) => ({ ...line, cents: -line.cents, was: -base(line) }))
    if (discountOn === 'lines') for (const line of turned) take(bill, [line], most(part(line.was), [line]))
    else take(bill, turned, most(part(turned.reduce((all, { was }) => all + was, 0n)), turned))
    given.forEach((line, index) => {
      line.cents = -turned[index]!.cents
    })
  }
}

const credit = (bill: Bill) => {
  const { request } = bill
  const at = ms(request.at ?? request.period!.end)
  const never = Number.POSITIVE_INFINITY
  const usable = (request.credits ?? []).filter(({ expiresAt, grantedAt }) => {
    const isAtEnd = expiresAt && ms(expiresAt) === at && request.settings?.creditAtExpiry === 'usable'
    return (!expiresAt || at < ms(expiresAt) || isAtEnd) && (!grantedAt || ms(grantedAt) <= at)
  })
  type Credit = (typeof usable)[number]
  const value: Record<string, (each: Credit) => number> = {
    priority: ({ priority }) => priority ?? 50,
    expiry: ({ expiresAt }) => (expiresAt ? ms(expiresAt) : never),
    category: ({ category }) => (category === 'promotional' ? 0 : 1),
    age: ({ grantedAt }) => (grantedAt ? ms(grantedAt) : -never),
  }
  const order = request.settings?.burnOrder ?? ['priority', 'expiry', 'category', 'age']
  usable.sort((a, b) => {
    const decides = order.find((key) => value[key]!(a) !== value[key]!(b))
    return decides ? (value[decides]!(a) < value[decides]!(b) ? -1 : 1) : a.key < b.key ? -1 : 1
  })
  for (const { amount, charges } of usable) {
    const due = allOf(bill) + bill.tax
    const lines = payable(bill, charges)
    const [onLines] = [worth(lines), due, read(amount)[0]].sort((a, b) => (a < b ? -1 : 1))
    if (onLines! <= 0n && due <= 0n) continue
    take(bill, lines, onLines!)
    if (charges) continue
    const [onTax] = [bill.tax, due - onLines!, read(amount)[0] - onLines!].sort((a, b) => (a < b ? -1 : 1))
    if (onTax! > 0n) bill.tax -= onTax!
  }
}

const tax = (bill: Bill) => {
  const { request, mode, open } = bill
  const of = (cents: bigint) => rounded(multiply([cents, 100n], read(request.taxPercent ?? 0)), mode)
  bill.tax +=
    request.settings?.taxOn === 'lines' ? open.reduce((all, { cents }) => all + of(cents), 0n) : of(allOf(bill))
}

/** What can be collected at once. */
const dueOf = ({ settings, currency }: RatingPreviewRequest, total: bigint): bigint => {
  const step = BigInt(
    settings?.chargeStep ?? (['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND'].includes(currency) ? 10 : 1),
  )
  return total <= 0n || total < read(settings?.minimumCharge ?? 0)[0] ? 0n : (total / step) * step
}
