import type { RatingPreviewRequest, RatingPrice } from '@turnpike/contract'

/**
 * The total of a request, counted out: unit by unit, transaction by transaction, cent by cent, with fractions that are never
 * reduced. It shares nothing with the module but the request, is slow, and knows no days, buckets, levels or allowances: whole
 * tier bounds, prices by the second, sums.
 */
export const slowTotal = (request: RatingPreviewRequest): bigint => {
  const lines = (request.charges ?? []).flatMap((charge) => linesOf(request, charge))
  const mode = request.settings?.rounding ?? 'half_up'
  const open = lines.map((line) => ({ ...line, cents: rounded(line.amount, mode) }))
  let tax = 0n
  const least = (charges: string[] | undefined) =>
    open
      .filter(({ key, once }) => (charges ? charges.includes(key) : !once))
      .reduce((sum, { cents }) => sum + cents, 0n)
  const all = () => open.reduce((sum, { cents }) => sum + cents, 0n)
  const takeCent = (charges: string[] | undefined): boolean => {
    const line = open.find(({ key, cents }) => cents > 0n && (!charges || charges.includes(key)))
    if (line) line.cents -= 1n
    return line !== undefined
  }
  // Each cent from the line that has the greatest part of its amount left: in the end all have given alike.
  const take = (cents: bigint, charges: string[] | undefined) => {
    const from = open.filter(({ key, cents }) => cents > 0n && (!charges || charges.includes(key)))
    const weights = from.map((line) => ({ line, weight: line.cents }))
    for (let cent = 0n; cent < cents; cent++) {
      const [fullest] = weights.sort((a, b) => Number(b.line.cents * a.weight - a.line.cents * b.weight))
      if (!fullest || fullest.line.cents === 0n) return
      fullest.line.cents -= 1n
    }
  }
  const scaled = (amount: string | number, prorated: boolean | undefined) => {
    const regular = request.regularPeriod ?? request.period!
    const part = prorated ? seconds(request.period!.start, request.period!.end) : 1n
    return rounded(
      [read(amount)[0] * part, read(amount)[1] * (prorated ? seconds(regular.start, regular.end) : 1n)],
      mode,
    )
  }
  const steps = {
    minimum: () => {
      const { minimum } = request
      if (!minimum || minimum.trueUp === 'later') return
      let reached = least(minimum.charges) + read(minimum.spentBefore ?? 0)[0]
      const line = { key: '', once: false, amount: zero, cents: 0n }
      for (const wanted = scaled(minimum.amount, minimum.prorated); reached < wanted; reached++) line.cents++
      open.push(line)
    },
    maximum: () => {
      const { maximum } = request
      if (!maximum) return
      const counted = maximum.charges ?? open.filter(({ once }) => !once).map(({ key }) => key)
      while (least(maximum.charges) > scaled(maximum.amount, maximum.prorated)) takeCent(counted)
    },
    discount: () => {
      const whole = all()
      for (const { percentOff, amountOff, charges, months, startsAt, countedBy, invoicesSoFar } of request.coupons ??
        []) {
        if (months && countedBy === 'invoices' && (invoicesSoFar ?? 0) >= months) continue
        if (
          months &&
          countedBy !== 'invoices' &&
          monthsLater(startsAt!, months) <= Date.parse(request.at ?? request.period!.end)
        )
          continue
        if (amountOff !== undefined) take(read(amountOff)[0], charges)
        else {
          const base = request.settings?.stacking === 'additive' ? whole : all()
          const [n, d] = read(percentOff!)
          take(rounded([base * n, d * 100n], mode), charges)
        }
      }
    },
    credit: () => {
      const at = Date.parse(request.at ?? request.period!.end)
      const usable = (request.credits ?? []).filter(
        ({ expiresAt, grantedAt }) =>
          (!expiresAt ||
            at < Date.parse(expiresAt) ||
            (request.settings?.creditAtExpiry === 'usable' && at === Date.parse(expiresAt))) &&
          (!grantedAt || Date.parse(grantedAt) <= at),
      )
      for (const { amount, charges } of usable.sort((a, b) => (a.priority ?? 50) - (b.priority ?? 50)))
        for (let cent = read(amount)[0]; cent > 0n; cent--)
          if (all() + tax > 0n && !takeCent(charges) && !charges && tax > 0n) tax--
    },
    tax: () => {
      const [n, d] = read(request.taxPercent ?? 0)
      const of = (cents: bigint) => rounded([cents * n, d * 100n], mode)
      tax += request.settings?.taxOn === 'lines' ? open.reduce((sum, { cents }) => sum + of(cents), 0n) : of(all())
    },
  }
  for (const step of request.settings?.order ?? (['minimum', 'maximum', 'discount', 'credit', 'tax'] as const))
    steps[step]()
  return all() + tax
}

type Fraction = [n: bigint, d: bigint]
type Charge = NonNullable<RatingPreviewRequest['charges']>[number]
const zero: Fraction = [0n, 1n]
const read = (text: string | number): Fraction => {
  const [whole, parts = ''] = String(text).split('.')
  return [BigInt(whole! + parts), 10n ** BigInt(parts.length)]
}
const add = ([a, b]: Fraction, [c, d]: Fraction): Fraction => (b === d ? [a + c, b] : [a * d + c * b, b * d])
const multiply = ([a, b]: Fraction, [c, d]: Fraction): Fraction => [a * c, b * d]
const less = ([a, b]: Fraction, [c, d]: Fraction): boolean => a * d < c * b
const rounded = ([n, d]: Fraction, mode: string): bigint => {
  const sign = n < 0n ? -1n : 1n
  let [cents, rest] = [0n, n * sign]
  cents = rest / d
  rest -= cents * d
  if (
    mode === 'up'
      ? rest > 0n
      : mode === 'down'
        ? false
        : rest * 2n > d || (rest * 2n === d && (mode === 'half_up' || cents % 2n === 1n))
  )
    cents++
  return cents * sign
}
const seconds = (from: string, to: string): bigint => BigInt((Date.parse(to) - Date.parse(from)) / 1000)
const monthsLater = (from: string, months: number): number => {
  const date = new Date(from)
  date.setUTCMonth(date.getUTCMonth() + months)
  return date.getTime()
}

/** Between any two instants that the request names, nothing changes. */
type SlowLine = { key: string; once: boolean; amount: Fraction }
const linesOf = (request: RatingPreviewRequest, charge: Charge): SlowLine[] => {
  const { key, price, included, quantity } = charge
  const free = included && { quantity: read(included.quantity), mode: included.mode ?? 'before' }
  const once = price.model === 'one_time'
  const isHeld = quantity !== undefined || price.model === 'flat' || once
  const { start, end } = request.period!
  const changes = (request.changes ?? []).filter((change) => change.charge === key)
  const ramp = (charge.ramp ?? []).map((step) => ({
    at: new Date(monthsLater(request.subscriptionStart ?? start, step.fromMonth)).toISOString(),
    price: step.price,
    quantity: undefined,
  }))
  const turns = [...ramp, ...changes].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
  const instants = [start, end, charge.from, charge.until, ...turns.map(({ at }) => at)]
    .filter((at) => at !== undefined && Date.parse(at) >= Date.parse(start) && Date.parse(at) <= Date.parse(end))
    .map((at) => Date.parse(at!))
    .sort((a, b) => a - b)
  const regular = request.regularPeriod ?? request.period!
  let total = zero
  let isHere = false
  const parts: { from: number; to: number; price: RatingPrice; quantity: string | number }[] = []
  for (let index = 0; index + 1 < instants.length; index++) {
    const [from, to] = [instants[index]!, instants[index + 1]!]
    const isOutside =
      (charge.from && from < Date.parse(charge.from)) || (charge.until && from >= Date.parse(charge.until))
    if (from === to || isOutside) continue
    const past = turns.filter(({ at }) => Date.parse(at) <= from)
    parts.push({
      from,
      to,
      price: past.findLast((turn) => turn.price)?.price ?? price,
      quantity: past.findLast((turn) => turn.quantity !== undefined)?.quantity ?? quantity ?? 1,
    })
  }
  isHere = parts.length > 0
  if (!isHere) return []
  if (once) return [{ key, once, amount: multiply(read(quantity ?? 1), unit(request, read(price.unitAmount!))) }]
  if (isHeld) {
    const span = seconds(regular.start, regular.end)
    const shares = parts.map((part) => {
      const share: Fraction = [BigInt((part.to - part.from) / 1000), span]
      // Each unit rounded by itself is only meant for plain prices.
      if (request.settings?.roundAt === 'unit' && part.price.model === 'per_unit')
        return multiply(read(part.quantity), unit(request, multiply(read(part.price.unitAmount!), share)))
      const whole =
        part.price.model === 'flat'
          ? read(part.price.unitAmount!)
          : priced(part.price, read(part.quantity), free, request)
      return multiply(whole, share)
    })
    // Paid in advance: what was charged for the price at the beginning is known already.
    const advance = request.settings?.proration?.style === 'credit_and_charge' && parts[0]!.from === Date.parse(start)
    if (advance) shares.push(multiply(priced(parts[0]!.price, read(parts[0]!.quantity), free, request), [-1n, 1n]))
    return [{ key, once, amount: shares.reduce(add, zero) }]
  }
  const usage = request.usage?.find(({ meter }) => meter === (charge.meter ?? key))
  if (price.model === 'percentage') return [{ key, once, amount: ofTransactions(price, usage, free, request) }]
  const records = usage?.records ?? [{ at: start, quantity: usage?.quantity ?? 0 }]
  let before = zero
  for (const part of parts) {
    const now = records
      .filter(({ at }) => Date.parse(at) >= part.from && Date.parse(at) < part.to)
      .map((record) => read(record.quantity ?? 1))
      .reduce(add, zero)
    if (request.settings?.onSplit === 'cumulative') {
      const earlier = priced(part.price, before, free, request)
      total = add(
        total,
        add(priced(part.price, add(before, now), free, request), part === parts[0] ? zero : [-earlier[0], earlier[1]]),
      )
      before = add(before, now)
    } else if (charge.alreadyBilled !== undefined) {
      const billed = read(charge.alreadyBilled)
      const [n, d] = priced(price, billed, free, request)
      total = add(total, add(priced(price, add(billed, now), free, request), [-n, d]))
    } else total = add(total, priced(part.price, now, free, request))
  }
  return [{ key, once, amount: total }]
}

type Free = { quantity: Fraction; mode: string } | undefined
const unit = ({ settings }: RatingPreviewRequest, amount: Fraction): Fraction =>
  settings?.roundAt === 'unit' ? [rounded(amount, settings.rounding ?? 'half_up'), 1n] : amount

/** One unit after the other, the last perhaps a part of one. */
const priced = (price: RatingPrice, asked: Fraction, free: Free, request: RatingPreviewRequest): Fraction => {
  if (price.model === 'flat') return read(price.unitAmount!)
  let quantity = asked[0] < 0n ? zero : asked
  if (price.quantityRounding === 'up') quantity = [(quantity[0] + quantity[1] - 1n) / quantity[1], 1n]
  let skip = zero
  if (free && !less(free.quantity, quantity)) quantity = zero
  else if (free?.mode === 'before') quantity = add(quantity, [-free.quantity[0], free.quantity[1]])
  else if (free?.mode === 'inside') skip = free.quantity
  const tiers = price.tiers ?? [{ upTo: null, unitAmount: price.unitAmount! }]
  const reaches = (bound: string | number | null) =>
    bound === null || less(quantity, read(bound)) || (price.tierBounds !== 'exclusive' && !less(read(bound), quantity))
  const volume = tiers.findIndex(({ upTo }) => reaches(upTo))
  const touched = new Set<number>()
  let packages = 0n
  let total = zero
  const size = read(price.packageSize ?? 1)
  for (let n = 0n; less([n, 1n], quantity); n++) {
    const from = less([n, 1n], skip) ? skip : ([n, 1n] as Fraction)
    const to: Fraction = less(quantity, [n + 1n, 1n]) ? quantity : [n + 1n, 1n]
    if (!less(from, to)) continue
    const part: Fraction = add(to, [-from[0], from[1]])
    const tier =
      price.model === 'volume' ? volume : tiers.findIndex(({ upTo }) => upTo === null || less(from, read(upTo)))
    touched.add(tier)
    const { unitAmount = 0, percent } = tiers[tier]! as { unitAmount?: string | number; percent?: string | number }
    const each = percent === undefined ? read(unitAmount) : multiply(read(percent), [1n, 100n])
    if (price.model === 'package') {
      while (less(multiply([packages, 1n], size), to)) packages++
    } else {
      const [a, b] = multiply(part, unit(request, each))
      total = add(total, [a, b])
    }
  }
  if (price.model === 'package') {
    const amount = read(price.unitAmount!)
    if (price.packageRounding === 'fraction') return multiply(multiply(quantity, [size[1], size[0]]), amount)
    const isFull = !less(quantity, multiply([packages, 1n], size))
    return multiply(
      [price.packageRounding === 'down' && !isFull && packages > 0n ? packages - 1n : packages, 1n],
      amount,
    )
  }
  if (price.model === 'volume' && (quantity[0] > 0n || price.flatAtZero !== 'not_due')) touched.add(volume)
  if (price.model === 'graduated') {
    if (price.flatAtZero !== 'not_due') touched.add(0)
    tiers.forEach(({ upTo }, index) => {
      if (
        upTo !== null &&
        price.tierBounds === 'exclusive' &&
        !less(quantity, read(upTo)) &&
        !less(read(upTo), quantity)
      )
        touched.add(index + 1)
    })
  }
  for (const tier of touched)
    total = add(total, read((tiers[tier] as { flatAmount?: string | number }).flatAmount ?? 0))
  return total
}

const ofTransactions = (
  price: RatingPrice,
  usage: NonNullable<RatingPreviewRequest['usage']>[number] | undefined,
  free: Free,
  request: RatingPreviewRequest,
): Fraction => {
  const rate = multiply(read(price.percent!), [1n, 100n])
  const fee = read(price.fixedFee ?? 0)
  let total = zero
  if (usage?.records) {
    const moved = usage.records.map((record) => read(record.quantity ?? 1))
    const isRepriced = free?.mode === 'reprice_all' && less(free.quantity, moved.reduce(add, zero))
    let left = free && !isRepriced ? free.quantity : zero
    const isOnlyCounted = !free && price.includedTransactions !== undefined
    moved.forEach((amount, index) => {
      if (price.includedTransactions !== undefined && index >= price.includedTransactions) left = zero
      else if (isOnlyCounted) return
      const covered = less(left, amount) ? left : amount
      left = add(left, [-covered[0], covered[1]])
      const charged = add(amount, [-covered[0], covered[1]])
      if (charged[0] === 0n && covered[0] > 0n) return
      let cost = add(multiply(rate, charged), fee)
      if (price.transactionMinimum !== undefined && less(cost, read(price.transactionMinimum)))
        cost = read(price.transactionMinimum)
      if (price.transactionMaximum !== undefined && less(read(price.transactionMaximum), cost))
        cost = read(price.transactionMaximum)
      total = add(total, unit(request, cost))
    })
  } else {
    const quantity = read(usage?.quantity ?? 0)
    total = add(
      multiply(rate, quantity),
      multiply(fee, [BigInt(quantity[0] > 0n ? (usage?.transactions ?? 0) : 0), 1n]),
    )
  }
  return price.minimum !== undefined && less(total, read(price.minimum)) ? read(price.minimum) : total
}
