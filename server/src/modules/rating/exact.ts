/** An exact rational number in lowest terms: `d` is positive. No float ever stands between a price and its amount (RAT-2). */
export type Exact = { readonly n: bigint; readonly d: bigint }

const gcd = (a: bigint, b: bigint): bigint => {
  let [x, y] = [a < 0n ? -a : a, b]
  while (y !== 0n) [x, y] = [y, x % y]
  return x
}

export const fraction = (n: bigint, d: bigint): Exact => {
  if (d === 1n) return { n, d }
  const common = gcd(n, d) * (d < 0n ? -1n : 1n)
  return { n: n / common, d: d / common }
}
export const whole = (n: bigint | number): Exact => ({ n: BigInt(n), d: 1n })
/** A quantity as meters keep it: millionths of a unit. */
export const exactOfMicro = (micro: bigint): Exact => fraction(micro, 1_000_000n)
export const zero = whole(0)
export const one = whole(1)

// Most amounts and quantities are whole, and many have one denominator: then nothing has to be reduced.
const areWhole = (a: Exact, b: Exact): boolean => a.d === 1n && b.d === 1n

export const plus = (a: Exact, b: Exact): Exact =>
  areWhole(a, b) ? { n: a.n + b.n, d: 1n } : fraction(a.n * b.d + b.n * a.d, a.d * b.d)
export const minus = (a: Exact, b: Exact): Exact =>
  areWhole(a, b) ? { n: a.n - b.n, d: 1n } : fraction(a.n * b.d - b.n * a.d, a.d * b.d)
export const times = (a: Exact, b: Exact): Exact =>
  areWhole(a, b) ? { n: a.n * b.n, d: 1n } : fraction(a.n * b.n, a.d * b.d)
export const over = (a: Exact, b: Exact): Exact => fraction(a.n * b.d, a.d * b.n)
export const sumOf = (all: readonly Exact[]): Exact => all.reduce(plus, zero)

/** Below zero when `a` is less than `b`, as for `sort`. */
export const compare = (a: Exact, b: Exact): number => {
  const difference = a.d === b.d ? a.n - b.n : a.n * b.d - b.n * a.d
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}
export const smaller = (a: Exact, b: Exact): Exact => (compare(a, b) <= 0 ? a : b)
export const larger = (a: Exact, b: Exact): Exact => (compare(a, b) >= 0 ? a : b)
export const isZero = (a: Exact): boolean => a.n === 0n

const decimal = /^(-?)(\d{1,18})(?:\.(\d{1,18}))?$/

/** A small number as its digits: what a sender wrote as 0.0000002 is here 2e-7. */
const written = (number: number): string => {
  const parts = /^(-?)(\d)(?:\.(\d+))?e-(\d+)$/.exec(String(number))
  return parts ? `${parts[1]}0.${'0'.repeat(Number(parts[4]) - 1)}${parts[2]}${parts[3] ?? ''}` : String(number)
}

/**
 * What a decimal says; null when it is none. Of a JSON number only 15 digits are sure: with more it no longer says what its
 * sender meant, and is refused.
 */
export const exactOf = (text: string | number): Exact | null => {
  const parts = decimal.exec(typeof text === 'number' ? written(text) : text)
  if (!parts) return null
  const fractionDigits = parts[3] ?? ''
  if (typeof text === 'number' && (parts[2]! + fractionDigits).replace(/^0+/, '').length > 15) return null
  const digits = BigInt(parts[2]! + fractionDigits)
  return fraction(parts[1] ? -digits : digits, 10n ** BigInt(fractionDigits.length))
}

/** A decimal where one is exact, else the fraction `n/d`: two readers always see the same number. */
export const textOf = ({ n, d }: Exact): string => {
  if (d === 1n) return String(n)
  let [rest, twos, fives] = [d, 0, 0]
  for (; rest % 2n === 0n; rest /= 2n) twos++
  for (; rest % 5n === 0n; rest /= 5n) fives++
  if (rest !== 1n) return `${n}/${d}`
  const places = Math.max(twos, fives)
  const scaled = (n < 0n ? -n : n) * (10n ** BigInt(places) / d)
  const digits = String(scaled).padStart(places + 1, '0')
  return `${n < 0n ? '-' : ''}${digits.slice(0, -places)}.${digits.slice(-places)}`
}

/** What `textOf` has written, decimal or fraction. */
const ofText = (text: string): Exact => {
  const [n, d] = text.split('/')
  return d === undefined ? exactOfLong(text) : fraction(BigInt(n!), BigInt(d))
}
const exactOfLong = (text: string): Exact => {
  const [digits, decimals = ''] = text.split('.')
  return fraction(BigInt(`${digits}${decimals}`), 10n ** BigInt(decimals.length))
}

/** A number less others, all as text. */
export const differenceOf = (text: string, less: readonly string[]): string =>
  textOf(minus(ofText(text), sumOf(less.map(ofText))))
