import type { RatingPreviewRequest, RatingPrice } from '@turnpike/contract'

/** Fractions that are never reduced. */
export type Fraction = readonly [n: bigint, d: bigint]
export const nothing: Fraction = [0n, 1n]
export const read = (text: string | number): Fraction => {
  const [mantissa, power = '0'] = String(text).split('e')
  const [whole, parts = ''] = mantissa!.split('.')
  return [BigInt(whole! + parts), 10n ** BigInt(parts.length - Number(power))]
}
export const add = ([a, b]: Fraction, [c, d]: Fraction): Fraction => (b === d ? [a + c, b] : [a * d + c * b, b * d])
export const negative = ([a, b]: Fraction): Fraction => [-a, b]
export const multiply = ([a, b]: Fraction, [c, d]: Fraction): Fraction => [a * c, b * d]
export const less = ([a, b]: Fraction, [c, d]: Fraction): boolean => a * d < c * b
const equal = ([a, b]: Fraction, [c, d]: Fraction): boolean => a * d === c * b
export const least = (a: Fraction, b: Fraction): Fraction => (less(b, a) ? b : a)
export const sum = (all: readonly Fraction[]): Fraction => all.reduce(add, nothing)
export const rounded = ([n, d]: Fraction, mode: string): bigint => {
  const sign = n < 0n ? -1n : 1n
  let [cents, rest] = [(n * sign) / d, (n * sign) % d]
  if (mode === 'up' && rest > 0n) cents++
  if (mode === 'half_up' && rest * 2n >= d) cents++
  if (mode === 'half_even' && (rest * 2n > d || (rest * 2n === d && cents % 2n === 1n))) cents++
  return cents * sign
}

export type Rules = NonNullable<RatingPreviewRequest['settings']>
export type Free = { quantity: Fraction; mode: string } | null
/** One product of a calculation: how many of what. Where it is rounded is decided by who adds them up. */
export type Product = { quantity: Fraction; amount: Fraction; isShare?: boolean; flatOf?: number }

/** What a price asks for a quantity, counted out one unit after the other, the last perhaps a part of one. */
export const countOut = (price: RatingPrice, asked: Fraction, free: Free): Product[] => {
  let quantity = asked[0] < 0n ? nothing : asked
  if (price.quantityRounding === 'up') quantity = [(quantity[0] + quantity[1] - 1n) / quantity[1], 1n]
  if (price.quantityRounding === 'down') quantity = [quantity[0] / quantity[1], 1n]
  if (price.model === 'flat' || price.model === 'one_time')
    return quantity[0] === 0n ? [] : [{ quantity, amount: read(price.unitAmount!) }]
  let skip = nothing
  if (free && !less(free.quantity, quantity)) quantity = nothing
  else if (free?.mode === 'before') quantity = add(quantity, negative(free.quantity))
  else if (free?.mode === 'inside') skip = free.quantity
  const tiers = price.tiers ?? [{ upTo: null, unitAmount: price.unitAmount!, packageSize: price.packageSize }]
  const holds = (bound: string | number | null) =>
    bound === null || less(quantity, read(bound)) || (price.tierBounds !== 'exclusive' && equal(quantity, read(bound)))
  const volume = tiers.findIndex(({ upTo }) => holds(upTo))
  // How much stands in each tier, and which tiers were touched.
  const inTier = tiers.map(() => nothing)
  const touched = new Set<number>()
  for (let from = skip; less(from, quantity); ) {
    const tier =
      price.model === 'volume' ? volume : tiers.findIndex(({ upTo }) => upTo === null || less(from, read(upTo)))
    const bound = price.model === 'volume' ? null : tiers[tier]!.upTo
    let to: Fraction = [from[0] / from[1] + 1n, 1n]
    to = least(to, quantity)
    if (bound !== null) to = least(to, read(bound))
    inTier[tier] = add(inTier[tier]!, add(to, negative(from)))
    touched.add(tier)
    from = to
  }
  if (price.model === 'volume' && (quantity[0] > 0n || price.flatAtZero !== 'not_due')) touched.add(volume)
  if (price.model === 'graduated') {
    if (price.flatAtZero !== 'not_due') touched.add(0)
    tiers.forEach(({ upTo }, index) => {
      if (upTo !== null && price.tierBounds === 'exclusive' && equal(quantity, read(upTo))) touched.add(index + 1)
    })
  }
  return tiers.flatMap((tier, index) => {
    const { unitAmount = 0, flatAmount = 0, percent, packageSize } = tier as NonNullable<RatingPrice['tiers']>[number]
    const amount = percent === undefined ? read(unitAmount) : multiply(read(percent), [1n, 100n])
    const each: Product[] =
      inTier[index]![0] === 0n
        ? []
        : [
            {
              quantity: inPackages(inTier[index]!, packageSize, price.packageRounding),
              amount,
              isShare: percent !== undefined,
            },
          ]
    return touched.has(index) ? [...each, { quantity: [1n, 1n], amount: read(flatAmount), flatOf: index }] : each
  })
}

/** Packages are opened one after the other until everything is in one. */
const inPackages = (
  quantity: Fraction,
  packageSize: string | number | undefined,
  rounding: string | undefined,
): Fraction => {
  if (packageSize === undefined) return quantity
  const size = read(packageSize)
  if (rounding === 'fraction') return multiply(quantity, [size[1], size[0]])
  let packages = 0n
  while (less(multiply([packages, 1n], size), quantity)) packages++
  const isFull = equal(multiply([packages, 1n], size), quantity)
  return [rounding === 'down' && !isFull ? packages - 1n : packages, 1n]
}

/** Each transaction by itself, in the order of time: what is free of it, its share, its fee, its bounds. */
export const countTransactions = (
  price: RatingPrice,
  moved: readonly Fraction[],
  free: Free,
  rules: Rules,
): Product[] => {
  const rate = multiply(read(price.percent!), [1n, 100n])
  const fee = read(price.fixedFee ?? 0)
  const isRepriced = free?.mode === 'reprice_all' && less(free.quantity, sum(moved))
  const isOnlyCounted = (free === null || isRepriced) && price.includedTransactions !== undefined
  let left = free && !isRepriced ? free.quantity : nothing
  const products: { moved: Fraction; cost: Fraction }[] = moved.flatMap((amount, index) => {
    const isPast = price.includedTransactions !== undefined && index >= price.includedTransactions
    if (isOnlyCounted && !isPast) return []
    if (isPast) left = nothing
    const covered = least(amount, left)
    left = add(left, negative(covered))
    const charged = add(amount, negative(covered))
    if (charged[0] === 0n && covered[0] > 0n) return []
    let cost = add(multiply(rate, charged), fee)
    if (price.transactionMinimum !== undefined && less(cost, read(price.transactionMinimum)))
      cost = read(price.transactionMinimum)
    if (price.transactionMaximum !== undefined && less(read(price.transactionMaximum), cost))
      cost = read(price.transactionMaximum)
    return [{ moved: charged, cost }]
  })
  if (rules.roundAt === 'unit') {
    const each = products.map(({ cost }): Fraction => [rounded(cost, rules.rounding ?? 'half_up'), 1n])
    return [{ quantity: [1n, 1n], amount: sum(each), isShare: true }]
  }
  const all = sum(products.map((each) => each.moved))
  const fees: Fraction = [BigInt(products.length), 1n]
  const plain = add(multiply(all, rate), multiply(fees, fee))
  return [
    { quantity: all, amount: rate },
    { quantity: fees, amount: fee },
    { quantity: [1n, 1n], amount: add(sum(products.map(({ cost }) => cost)), negative(plain)) },
  ]
}

/** Products for a share of the period, each rounded where the rules say so. */
export const addUp = (
  products: readonly Product[],
  share: Fraction,
  { roundAt, rounding = 'half_up' }: Rules,
): Fraction =>
  sum(
    products.map(({ quantity, amount, isShare }): Fraction => {
      const each = multiply(amount, share)
      if (roundAt === 'unit' && !isShare) return multiply(quantity, [rounded(each, rounding), 1n])
      const whole = multiply(quantity, each)
      return roundAt === 'step' ? [rounded(whole, rounding), 1n] : whole
    }),
  )
