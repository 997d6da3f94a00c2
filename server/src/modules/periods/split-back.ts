import { idFor } from '../../core/ids.ts'
import { differenceOf } from '../rating/index.ts'
import type { ChargeLine } from './usage-period.ts'

type Made = Pick<
  ChargeLine,
  'lineId' | 'kind' | 'ordinal' | 'quantity' | 'amountMinor' | 'exactAmount' | 'calculation' | 'period'
>

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)

/**
 * What of a period's difference a credit note takes that may be at most `most`, and what waits for the next invoice (USE-5).
 * Only what is given back as a whole goes on one: what is charged besides lowers it. Where it holds less than all, lines go on
 * it in their order and one is parted, so that nothing is lost and nothing is given back twice. Pure.
 */
export const splitBack = <L extends Made>(
  made: readonly L[],
  most: bigint,
): { amount: bigint; credited: L[]; waiting: L[] } => {
  const back = -made.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)
  if (back <= 0n || most <= 0n) return { amount: 0n, credited: [], waiting: [...made] }
  const amount = least(back, most)
  const charged = made.filter(({ amountMinor }) => amountMinor > 0n)
  let room = amount + charged.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)
  const credited = [...charged]
  const waiting: L[] = []
  for (const line of made) {
    if (line.amountMinor > 0n) continue
    const wanted = -line.amountMinor
    const part = least(wanted, room)
    room -= part
    if (part === wanted) credited.push(line)
    else if (part === 0n) waiting.push(line)
    else {
      const [on, rest] = parted(line, part, made)
      credited.push(on)
      waiting.push(rest)
    }
  }
  return { amount, credited, waiting }
}

/** One line as two that sum to it. The first keeps its id and says how much was used; the second says only what is left. */
const parted = <L extends Made>(line: L, part: bigint, made: readonly L[]): [L, L] => {
  const restMinor = line.amountMinor + part
  const on: L = {
    ...line,
    amountMinor: -part,
    exactAmount: String(-part),
    calculation: [...line.calculation, without(line, 'The rest goes with the next invoice', -restMinor)],
  }
  const rest: L = {
    ...line,
    lineId: idFor('line', `${line.lineId} rest`),
    ordinal: Math.max(...made.map(({ kind, ordinal }) => (kind === 'credit' ? 0 : ordinal))) + 1,
    quantity: '0',
    amountMinor: restMinor,
    exactAmount: differenceOf(line.exactAmount, [String(-part)]),
    calculation: [...line.calculation, without(line, 'On a credit note', part)],
  }
  return [on, rest]
}

const without = (line: Made, text: string, amount: bigint): ChargeLine['calculation'][number] => ({
  kind: 'already_billed',
  text,
  tier: null,
  quantity: '1',
  unitAmount: String(amount),
  share: null,
  roundedUnitAmount: null,
  amount: String(amount),
  period: { start: line.period.start.toString(), end: line.period.end.toString() },
})
