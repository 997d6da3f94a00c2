import { eventually } from '../../support/world.ts'
import type { Flow, Stage } from './crash-stage.ts'
import {
  command,
  customerOf,
  isQuiet,
  ledgerOf,
  subscriber,
  subscriptionOf,
  traces,
  untilQuiet,
} from './crash-steps.ts'

const use = async (stage: Stage, tenantId: string, quantity: number, idempotencyKey = 'used'): Promise<void> => {
  // The provider's clock may be a second ahead: what was used before its subscription began is not of it.
  await stage.advance('PT1M')
  await stage.operator.reportUsage({ body: { tenantId, meter: 'api_calls', quantity, idempotencyKey } })
}

/** Six minutes after the end of the period: the invoice of the renewal is a draft. */
const untilClose = async (stage: Stage, tenantId: string): Promise<string> => {
  const [period] = await stage.rows<{ seconds: number }>(
    `select ceil(extract(epoch from period_end) - $2)::int + 362 as seconds from subscriptions where tenant_id = $1`,
    [tenantId, stage.nowMs() / 1_000],
  )
  return `PT${period!.seconds}S`
}

/** Periods that are over and not rated, and lines that have no invoice; one where no period was rated at all. */
const unplaced = async (stage: Stage, tenantId: string): Promise<number> => {
  const [left] = await stage.rows<{ n: number }>(
    `select (select count(*) from charge_lines where tenant_id = $1 and amount_minor <> 0 and placed_at is null)::int
       + (select count(*) from placings where tenant_id = $1 and state = 'waiting')::int
       + (not exists (select from usage_periods where tenant_id = $1 and state = 'placed'))::int as n`,
    [tenantId],
  )
  return left!.n
}

/** What was charged and where it is: each line once here and once there. */
const billed = async (stage: Stage, tenantId: string) => {
  const { providerCustomerId } = (await customerOf(stage, tenantId))!
  const invoices = await stage.stripe.invoices.list({ customer: providerCustomerId!, limit: 100 })
  const provider = []
  for (const { id, billing_reason: reason, status, total } of invoices.data) {
    const lines = await stage.stripe.invoices.listLineItems(id!, { limit: 100 })
    provider.push([reason, status, total, lines.data.map(({ amount }) => amount)])
  }
  return {
    provider,
    lines: await stage.rows(
      `select split_part(charge, ':', 1) as charge, kind, quantity, amount_minor, placed_at is not null as placed from charge_lines where tenant_id = $1 order by line_start, ordinal`,
      [tenantId],
    ),
    periods: await stage.rows('select state from usage_periods where tenant_id = $1 order by period_start', [tenantId]),
    traces: Object.fromEntries(
      Object.entries(await traces(stage, tenantId)).filter(([what]) => /usage_period|charge_lines/.test(what)),
    ),
  }
}

/** Nobody renews in the months of those who are played after. */
const leave = async (stage: Stage, tenantId: string): Promise<void> => {
  const subscription = await subscriptionOf(stage, tenantId)
  await stage.stripe.subscriptions.cancel(subscription!.providerSubscriptionId)
  await untilQuiet(stage)
}

/** What goes back by credit note is sent by the sweep, which is asked for where it is not quiet yet: before anything is looked at. */
const isClosed = async (stage: Stage, tenantId: string): Promise<boolean> =>
  (await isQuiet(stage)) && (await unplaced(stage, tenantId)) === 0

const lateLines = async (stage: Stage, tenantId: string): Promise<number> =>
  (
    await stage.rows(`select from charge_lines where tenant_id = $1 and kind = 'late_usage' and amount_minor < 0`, [
      tenantId,
    ])
  ).length

/** A month that is billed and paid, and a correction of what was used in it. */
const billedTooMuch = async (stage: Stage, tenantId: string): Promise<void> => {
  await subscriber(stage, tenantId)
  await use(stage, tenantId, 12_000)
  await stage.advance(await untilClose(stage, tenantId))
  await eventually(
    () => isClosed(stage, tenantId),
    (done) => done,
    30_000,
  )
  await stage.advance('PT2H')
  await eventually(
    async () =>
      (await isQuiet(stage)) &&
      (await stage.rows(`select from invoices where tenant_id = $1 and status <> 'paid'`, [tenantId])).length === 0,
    (done) => done,
    30_000,
  )
  await stage.operator.correctUsage({
    body: {
      ...{ tenantId, corrects: 'used', action: 'amend', quantity: 11_000 },
      ...{ reason: 'counted twice', idempotencyKey: 'amended' },
    },
  })
  await use(stage, tenantId, 13_000, 'used-next')
}

/** What went back of invoices: here, on credit notes there, and on the balance that the next invoice is paid from. */
const givenBack = async (stage: Stage, tenantId: string) => {
  const customer = (await customerOf(stage, tenantId))!.providerCustomerId!
  const notes = await stage.stripe.creditNotes.list({ customer })
  const { balance } = (await stage.stripe.customers.retrieve(customer)) as { balance?: number }
  const all = await traces(stage, tenantId)
  return {
    notes: notes.data.map(({ amount, status }) => [amount, status]),
    balance,
    here: await stage.rows(
      'select kind, state, amount::text from money_back where tenant_id = $1 order by requested_at',
      [tenantId],
    ),
    // Each on one way: an invoice or a credit note.
    ways: await stage.rows(
      `select kind, amount_minor, provider_invoice_id is not null as invoiced, credit_note_id is not null as credited from charge_lines where tenant_id = $1 order by line_start, ordinal`,
      [tenantId],
    ),
    traces: Object.fromEntries(Object.entries(all).filter(([what]) => what.includes('credit_note'))),
  }
}

const credit = async (stage: Stage, tenantId: string, amountMinor: string, expiresAt?: string): Promise<void> => {
  const amount = { amountMinor, currency: 'USD' }
  await stage.operator.createCreditGrant({
    body: { tenantId, amount, reason: 'tried by the sweep', ...(expiresAt ? { expiresAt } : {}) },
  })
}

/** How periods become lines, and lines come to invoices. */
export const closeFlows: Flow[] = [
  {
    name: 'the close of a period',
    before: async (stage, tenantId) => {
      await subscriber(stage, tenantId)
      await use(stage, tenantId, 12_000)
    },
    // One leap, so that none is lost on a service that is just starting again.
    act: async (stage, tenantId) => stage.advance(await untilClose(stage, tenantId)),
    done: async (stage, tenantId) => (await unplaced(stage, tenantId)) === 0 && isQuiet(stage),
    outcome: async (stage, tenantId) => {
      const outcome = await billed(stage, tenantId)
      await leave(stage, tenantId)
      return outcome
    },
  },
  {
    name: 'the last close of a subscription',
    before: async (stage, tenantId) => {
      await subscriber(stage, tenantId)
      await use(stage, tenantId, 12_000)
      await stage.advance('P3D')
      await command(stage, tenantId, { action: 'cancel', when: 'now' })
      await untilQuiet(stage)
    },
    act: (stage) => stage.advance('PT6M'),
    done: async (stage, tenantId) => (await unplaced(stage, tenantId)) === 0 && isQuiet(stage),
    outcome: billed,
  },
  {
    name: 'a close that gives back by credit note',
    catalog: [[['policies', 'billing', 'lateUsage'], 'credit_note']],
    before: billedTooMuch,
    act: async (stage, tenantId) => {
      await stage.advance(await untilClose(stage, tenantId))
      await eventually(
        () => lateLines(stage, tenantId),
        (lines) => lines > 0,
        30_000,
      )
      // Whoever asks for what was agreed to waits until nobody else can be asking.
      await stage.advance('PT1M')
    },
    done: isClosed,
    outcome: async (stage, tenantId) => {
      const outcome = { ...(await billed(stage, tenantId)), back: await givenBack(stage, tenantId) }
      await leave(stage, tenantId)
      return outcome
    },
  },
  {
    name: 'a close that burns credit',
    before: async (stage, tenantId) => {
      await subscriber(stage, tenantId)
      const { period } = (await stage.operator.getStatus({ query: { tenantId } })).data
      // It ends after the period and before its close: what the period took of it was there at its end, the rest is lost.
      await credit(stage, tenantId, '300', Temporal.Instant.from(period!.end).add({ minutes: 2 }).toString())
      await credit(stage, tenantId, '1000')
      await use(stage, tenantId, 12_000)
    },
    act: async (stage, tenantId) => stage.advance(await untilClose(stage, tenantId)),
    done: isClosed,
    outcome: async (stage, tenantId) => {
      const outcome = { ...(await billed(stage, tenantId)), ledger: await ledgerOf(stage, tenantId) }
      await leave(stage, tenantId)
      return outcome
    },
  },
]
