/** The middle of some numbers. */
export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export const percentile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0

/**
 * Measures several things in turns, A B C A B C, so that what else the machine does falls on all of them alike. Gives each
 * one's results, round by round.
 */
export const inTurns = async <K extends string, R>(
  rounds: number,
  measures: Record<K, () => Promise<R>>,
): Promise<Record<K, R[]>> => {
  const names = Object.keys(measures) as K[]
  const results = Object.fromEntries(names.map((name) => [name, [] as R[]])) as Record<K, R[]>
  for (let round = 0; round < rounds; round++) for (const name of names) results[name].push(await measures[name]())
  return results
}

/** The middle of the ratios of rounds that were measured one after the other. */
export const ratioOf = (measured: readonly number[], against: readonly number[]): number =>
  median(measured.map((value, round) => value / against[round]!))
