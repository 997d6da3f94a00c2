import { formatMoney } from '../format/money.ts'

/** An exact amount. `explicit` adds the currency code: totals, buttons, mixed currencies. */
export function Money({ value, explicit }: { value: { amountMinor: string; currency: string }; explicit?: boolean }) {
  return <span className="figures">{formatMoney(value, explicit ? { explicit } : {})}</span>
}
