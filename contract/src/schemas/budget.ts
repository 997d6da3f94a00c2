import { type Static, Type } from 'typebox'
import { Currency, Instant, Key, Money, Nullable, Period, strict, TenantId } from './common.ts'

/**
 * `level`: a fact that stays until another is reported; `not_a_sum`: the highest or different values; `single_records`: a price
 * of each record by itself, with a bound for each, or with free ones; `parts_of_period`: counted by hours or days of the period;
 * `fee_by_record`: a fee for each record.
 */
const outsideCap = ['level', 'not_a_sum', 'single_records', 'parts_of_period', 'fee_by_record'] as const

const set = {
  amountMinor: Type.String({ pattern: '^[0-9]{1,15}$', description: 'Integer of minor units.' }),
  currency: Currency,
  /** When the customer is told, in percent of the amount; each once in a usage period. */
  alertAtPercent: Type.Array(Type.Integer({ minimum: 1, maximum: 1_000 }), { maxItems: 10, uniqueItems: true }),
  /** Usage that would cost more is refused with `spend_cap_reached`. */
  cap: Type.Boolean(),
}
export const CustomerBudgetSet = strict(set)
export type CustomerBudgetSet = Static<typeof CustomerBudgetSet>

/** What a customer wants to spend on usage in a usage period, and how much it is (INV-5). */
export const CustomerBudget = strict({
  tenantId: TenantId,
  budget: Nullable(strict({ ...set, setBy: Type.String(), setAt: Instant })),
  /** What usage costs until now, without minimums; null where no usage period runs. */
  cost: Nullable(Money),
  period: Nullable(Period),
  /** Of the budget, cut to whole percents. */
  percent: Nullable(Type.Integer()),
  alerts: Type.Array(strict({ percent: Type.Integer(), toldAt: Instant })),
  /** Meters whose usage costs something and is never refused by the cap, as counters alone do not tell its cost; empty without a cap. */
  capLeavesOut: Type.Array(strict({ meter: Key, name: Type.String(), why: Type.Enum(outsideCap) })),
})
export type CustomerBudget = Static<typeof CustomerBudget>
