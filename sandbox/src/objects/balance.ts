import { newId } from '../store/ids.ts'
import { listOf, save, type Tx } from '../store/transact.ts'
import type { Charge, Stored } from './types.ts'

type Entry = Stored & { object: 'balance_transaction'; net: number; currency: string; available_on: number }

/** Books an amount on the account's balance, less Stripe's usual fee for charges. */
export function addToBalance(
  tx: Tx,
  charge: Pick<Charge, 'id' | 'currency'>,
  type: 'charge' | 'refund' | 'adjustment',
  amount: number,
  description: string | null,
  { available = false, fee = type === 'charge' ? Math.round(amount * 0.029) + 30 : 0, source = charge.id } = {},
): string {
  const { currency } = charge
  const entry: Entry = {
    id: newId('txn'),
    object: 'balance_transaction',
    amount,
    available_on: available ? tx.now : tx.now + 2 * 86_400,
    balance_type: 'payments',
    created: tx.now,
    currency,
    description,
    exchange_rate: null,
    fee,
    fee_details:
      fee === 0
        ? []
        : [
            {
              amount: fee,
              application: null,
              currency,
              description: fee > 0 && type === 'adjustment' ? 'Dispute fee' : 'Stripe processing fees',
              type: 'stripe_fee',
            },
          ],
    net: amount - fee,
    reporting_category: type === 'adjustment' ? (amount < 0 ? 'dispute' : 'dispute_reversal') : type,
    source,
    status: available ? 'available' : 'pending',
    type,
  }
  return save(tx, entry).id
}

/** What the account has: money of the last two days is still on its way. */
export function balanceOf(tx: Tx): Record<string, unknown> {
  const sums = { available: new Map<string, number>(), pending: new Map<string, number>() }
  for (const entry of listOf<Entry>(tx, 'balance_transaction')) {
    const sum = sums[entry.available_on <= tx.now ? 'available' : 'pending']
    sum.set(entry.currency, (sum.get(entry.currency) ?? 0) + entry.net)
  }
  const currencies = [...new Set(['usd', ...sums.available.keys(), ...sums.pending.keys()])]
  const shown = (sum: Map<string, number>) =>
    currencies.map((currency) => {
      const amount = sum.get(currency) ?? 0
      return { amount, currency, source_types: { card: amount } }
    })
  return {
    object: 'balance',
    available: shown(sums.available),
    livemode: false,
    pending: shown(sums.pending),
    refund_and_dispute_prefunding: { available: [], pending: [] },
  }
}

export function emitBalance(tx: Tx): void {
  tx.events.push({ type: 'balance.available', object: balanceOf(tx), at: tx.now })
}
