/** What a customer wants to spend on usage in a usage period. */
export type BudgetRecord = {
  tenantId: string
  amountMinor: bigint
  currency: string
  /** In percent of the amount, ascending. */
  alertAtPercent: number[]
  /** Usage that would cost more is refused. */
  cap: boolean
  setBy: string
  setAt: Temporal.Instant
}

/** One threshold that was told. */
export type BudgetAlert = { percent: number; costMinor: bigint; toldAt: Temporal.Instant }

/**
 * The thresholds that a cost has reached, lowest first. A cap that has refused something is reached, however little is left:
 * what comes next may cost more than that.
 */
export const thresholdsReached = (
  { amountMinor, alertAtPercent }: Pick<BudgetRecord, 'amountMinor' | 'alertAtPercent'>,
  costMinor: bigint,
  hasRefused: boolean,
): number[] => {
  const reached = alertAtPercent.filter((percent) => costMinor * 100n >= amountMinor * BigInt(percent))
  return hasRefused && !reached.includes(100)
    ? [...alertAtPercent.filter((percent) => percent < 100), 100].sort((a, b) => a - b)
    : reached
}
