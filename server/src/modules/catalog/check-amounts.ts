import type { Draft } from './draft.ts'
import type { Path } from './read-yaml.ts'

type Amounts = Record<string, unknown>

/** By place in the list, those that are well formed; the first is the default. */
export const currenciesOf = (draft: Draft): (string | undefined)[] =>
  Array.from({ length: draft.count('currencies') }, (_, index) => draft.sound<string>('currencies', index))

/** Known currencies only, and the default one at least, or those that are required. */
export const checkAmounts = (draft: Draft, path: Path, required?: readonly string[]) => {
  const currencies = currenciesOf(draft)
  const amounts = draft.sound<Amounts>(...path)
  if (currencies.length === 0 || !amounts) return
  for (const currency of Object.keys(amounts))
    if (!currencies.includes(currency))
      draft.report(
        [...path, currency],
        `"${currency}" is not among the currencies of this catalog: ${currencies.join(', ')}.`,
        'key',
      )
  for (const currency of required ?? currencies.slice(0, 1))
    if (currency !== undefined && !Object.hasOwn(amounts, currency) && currencies.includes(currency))
      draft.report(path, `There is no amount in ${currency}.`, 'key')
}

/** In each currency, the most must not be less than the least. */
export const checkOrder = (draft: Draft, least: Path, most: Path) => {
  const [low, high] = [draft.sound<Amounts>(...least), draft.sound<Amounts>(...most)]
  for (const [currency, amount] of Object.entries(high ?? {}))
    if (low && Object.hasOwn(low, currency) && isLess(amount, low[currency]))
      draft.report([...most, currency], `${amount} is less than the minimum of ${low[currency]}.`, 'value')
}

/** Of amounts that are numbers or decimal texts, digit by digit: floats would call 0.30000000000000001 equal to 0.3. */
export const isLess = (a: unknown, b: unknown): boolean => scaled(a) < scaled(b)
const scaled = (value: unknown): bigint => {
  const [whole, fraction = ''] = String(value).split('.')
  return BigInt(whole! + fraction.padEnd(12, '0'))
}
