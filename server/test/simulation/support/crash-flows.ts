import { createHash } from 'node:crypto'
import { eventually } from '../../support/world.ts'
import { closeFlows } from './crash-flows-close.ts'
import { creditFlows } from './crash-flows-credit.ts'
import type { Flow } from './crash-stage.ts'
import {
  buy,
  command,
  customerOf,
  failingCard,
  hasPlan,
  invoiceOf,
  isQuiet,
  moneyBack,
  moneyBackState,
  newCustomer,
  state,
  statusOf,
  subscriber,
  subscriptionOf,
  traces,
  untilQuiet,
} from './crash-steps.ts'

/** Rows of a file, the tenth of which cannot be read; a third is of long ago. */
const importRows = (now: Temporal.Instant, from: number, to: number): string =>
  Array.from({ length: to - from }, (_, n) => {
    const key = from + n
    const at = now.subtract({ hours: key % 3 === 0 ? 24 * 60 : 0, minutes: 1 }).toString()
    return `${at},${key % 2 ? 'api_calls' : 'tokens'},${key % 10 === 9 ? 'many' : key},past-${key}\n`
  }).join('')

/** Every operation that the sweep plays. */
export const flows: Flow[] = [
  {
    name: 'a purchase',
    before: newCustomer,
    act: buy,
    done: async (stage, tenantId) => (await hasPlan(stage, tenantId, 'pro')) && isQuiet(stage),
    outcome: state,
  },
  {
    name: 'an override',
    before: newCustomer,
    act: async (stage, tenantId) => {
      await stage.operator.createOverride({
        body: { tenantId, feature: 'sso', set: { enabled: true }, reason: 'tried by the sweep' },
      })
    },
    done: isQuiet,
    outcome: async (stage, tenantId) => ({
      traces: await traces(stage, tenantId),
      sso: (await stage.operator.check({ body: { tenantId, feature: 'sso' } })).data.allowed,
    }),
  },
  {
    name: 'a reservation',
    before: newCustomer,
    act: async (stage, tenantId) => {
      const { data } = await stage.operator.createReservation({
        body: { tenantId, features: [{ feature: 'api_calls', quantity: 10 }], idempotencyKey: 'held-by-the-sweep' },
      })
      const params = { reservationId: data.reservation!.id }
      await stage.operator.commitReservation({ params, body: { quantities: { api_calls: 4 } } })
    },
    done: async (stage, tenantId) => {
      // How far the counter moved is told a moment later, by a transaction of its own.
      const [untold] = await stage.rows<{ n: number }>(
        'select count(*)::int as n from usage_moves where $1 = any (tenant_ids)',
        [tenantId],
      )
      return untold?.n === 0 && isQuiet(stage)
    },
    // Held once, counted once, and nothing is held any more.
    outcome: async (stage, tenantId) => {
      const [decision] = (await stage.operator.check({ body: { tenantId, feature: 'api_calls' } })).data.decisions
      return { traces: await traces(stage, tenantId), used: decision!.used, remaining: decision!.remaining }
    },
  },
  {
    name: 'an upgrade',
    before: subscriber,
    act: (stage, tenantId) => command(stage, tenantId, { action: 'change', plan: 'scale', seats: 12 }),
    done: async (stage, tenantId) => (await hasPlan(stage, tenantId, 'scale')) && isQuiet(stage),
    // What is charged depends on the second at which it was asked for; how many invoices there are does not.
    outcome: async (stage, tenantId) => {
      const { provider, ...rest } = await state(stage, tenantId)
      return {
        ...rest,
        provider: { ...provider, invoices: provider?.invoices.map(([status, , reason]) => [status, reason]) },
      }
    },
  },
  {
    name: 'a downgrade at the end of the period',
    before: subscriber,
    act: (stage, tenantId) => command(stage, tenantId, { action: 'change', plan: 'starter' }),
    done: async (stage, tenantId) => (await statusOf(stage, tenantId)).pendingChange !== null && isQuiet(stage),
    outcome: state,
  },
  {
    name: 'a cancellation that is taken back',
    before: subscriber,
    act: async (stage, tenantId) => {
      await command(stage, tenantId, { action: 'cancel', when: 'period_end' })
      await eventually(
        () => statusOf(stage, tenantId),
        ({ endsAt }) => endsAt !== null,
        30_000,
      )
      await command(stage, tenantId, { action: 'undo_cancel' })
    },
    done: async (stage, tenantId) => (await statusOf(stage, tenantId)).endsAt === null && isQuiet(stage),
    outcome: state,
  },
  {
    name: 'a return after an end',
    before: async (stage, tenantId) => {
      await subscriber(stage, tenantId)
      await command(stage, tenantId, { action: 'cancel', when: 'now' })
      await untilQuiet(stage)
    },
    act: async (stage, tenantId) => {
      await stage.operator.createSubscription({ body: { tenantId, plan: 'pro', price: 'monthly' } })
    },
    done: async (stage, tenantId) => (await hasPlan(stage, tenantId, 'pro')) && isQuiet(stage),
    outcome: async (stage, tenantId) => {
      const { provider, ...rest } = await state(stage, tenantId)
      return {
        ...rest,
        provider: { ...provider, invoices: provider?.invoices.map(([status, , reason]) => [status, reason]) },
      }
    },
  },
  {
    name: 'an unpaid renewal until its end',
    before: async (stage, tenantId) => {
      await subscriber(stage, tenantId)
      await failingCard(stage, tenantId)
      await stage.control('/sandbox/settings', { retryDays: [3, 5], afterRetries: 'past_due' })
      await stage.advance('P32D')
      await eventually(
        () => statusOf(stage, tenantId),
        ({ status }) => status === 'past_due',
        30_000,
      )
    },
    act: async (stage) => {
      await stage.advance('P31D')
      await stage.job('follow_dunning')
    },
    done: async (stage, tenantId) => {
      await stage.job('follow_dunning')
      await stage.job('lapse_entitlements')
      const [open] = await stage.rows<{ n: number }>(
        'select count(*)::int as n from dunning_cases where tenant_id = $1 and closed_at is null',
        [tenantId],
      )
      return open?.n === 0 && (await statusOf(stage, tenantId)).status === 'no_subscription' && isQuiet(stage)
    },
    // How many steps of the way are seen one by one depends on when somebody looked; stages and ends are told once each.
    outcome: async (stage, tenantId) => {
      const { provider, traces: all, ...rest } = await state(stage, tenantId)
      const once = ([what]: [string, number]) => /dunning|canceled|grace|restricted|read_only/.test(what)
      return {
        ...rest,
        provider: provider?.subscriptions.map(([status]) => status),
        traces: Object.fromEntries(Object.entries(all).filter(once)),
      }
    },
  },
  {
    name: 'the deletion of what may be deleted',
    before: async (stage, tenantId) => {
      await subscriber(stage, tenantId)
      await stage.operator.reportUsage({ body: { tenantId, meter: 'api_calls', quantity: 5, idempotencyKey: 'used' } })
      // The provider counts in seconds: a subscription that ends in the one in which it began has no usage period.
      await stage.advance('PT2H')
      await command(stage, tenantId, { action: 'cancel', when: 'now' })
      await untilQuiet(stage)
      // A year is over in a moment here: what was used is charged before it is deleted.
      await stage.advance('PT1H')
      await eventually(
        () => stage.rows(`select from usage_periods where tenant_id = $1 and state <> 'open'`, [tenantId]),
        (closed) => closed.length === 1,
        30_000,
      )
      await untilQuiet(stage)
      // Nobody is deleted who was not warned, twice.
      for (const by of ['P336D', 'P23D']) {
        await stage.advance(by)
        await eventually(
          async () => {
            await stage.job('follow_retentions')
            return (await traces(stage, tenantId))['event retention.export_ending'] ?? 0
          },
          (warnings) => warnings === (by === 'P336D' ? 1 : 2),
          30_000,
        )
      }
    },
    act: async (stage) => {
      await stage.advance('P7D')
      await stage.job('follow_retentions')
    },
    done: async (stage, tenantId) => {
      await stage.job('follow_retentions')
      const [deleted] = await stage.rows<{ n: number }>(
        `select count(*)::int as n from retentions where tenant_id = $1 and state = 'deleted'`,
        [tenantId],
      )
      return deleted?.n === 1 && isQuiet(stage)
    },
    outcome: async (stage, tenantId) => ({
      traces: await traces(stage, tenantId),
      left: await stage.rows(
        'select (select count(*) from usage_records where tenant_id = $1)::int as usage, (select count(*) from invoices where tenant_id = $1)::int as invoices',
        [tenantId],
      ),
    }),
  },
  {
    name: 'a file of past usage',
    before: subscriber,
    act: async (stage, tenantId) => {
      // One time for all of them: rows that come twice are the same.
      const now = Temporal.Now.instant()
      const rows = ([from, to]: readonly [number, number]) => importRows(now, from, to)
      const pieces = [
        'at,meter,quantity,key\n',
        ...(
          [
            [0, 40],
            [40, 80],
            [70, 120],
          ] as const
        ).map(rows),
      ]
      const text = pieces.join('')
      const { data: begun } = await stage.operator.createUsageImport({
        body: {
          tenantId,
          name: 'past.csv',
          format: 'csv',
          size: Buffer.byteLength(text),
          sha256: createHash('sha256').update(text).digest('hex'),
          columns: { idempotencyKey: 'key' },
        },
      })
      let offset = 0
      for (const piece of pieces) {
        await stage.operator.sendUsageImport({ params: { importId: begun.id }, body: { offset, text: piece } })
        offset += Buffer.byteLength(piece)
      }
    },
    done: async (stage, tenantId) => {
      const [untold] = await stage.rows<{ n: number }>(
        'select count(*)::int as n from usage_moves where $1 = any (tenant_ids)',
        [tenantId],
      )
      return untold?.n === 0 && isQuiet(stage)
    },
    outcome: async (stage, tenantId) => ({
      traces: await traces(stage, tenantId),
      imports: await stage.rows(
        'select state, place = size as whole, lines::int, accepted::int, duplicates::int, invalid::int, mistakes from usage_imports where tenant_id = $1',
        [tenantId],
      ),
      used: await stage.rows(
        `select meter, sum(used)::text as used, sum(records)::int as records from usage_counters where tenant_id = $1 and window_end < '9999-01-01' group by meter order by meter`,
        [tenantId],
      ),
      records: await stage.rows(
        'select count(*)::int as records, sum(quantity)::text as used from usage_records where tenant_id = $1',
        [tenantId],
      ),
    }),
  },
  {
    name: 'a refund',
    before: subscriber,
    act: async (stage, tenantId) => {
      const invoiceId = await invoiceOf(stage, tenantId)
      await stage.operator.createRefund(moneyBack(invoiceId, '1000'))
    },
    done: isQuiet,
    outcome: moneyBackState,
  },
  {
    name: 'a refund that a second person approves',
    before: async (stage, tenantId) => {
      await subscriber(stage, tenantId, 'yearly')
      const invoiceId = await invoiceOf(stage, tenantId)
      const { data: support } = await stage.operator.createApiKey({ body: { name: tenantId, role: 'support' } })
      const client = stage.as(support.key)
      await client.createRefund(moneyBack(invoiceId, '5000'))
    },
    act: async (stage, tenantId) => {
      const { data } = await stage.operator.listRefunds({ query: { tenantId } })
      await stage.operator.approveRefund({ params: { refundId: data[0]!.id }, body: {} })
    },
    done: isQuiet,
    outcome: moneyBackState,
  },
  {
    name: 'a credit note',
    before: subscriber,
    act: async (stage, tenantId) => {
      const { params, body } = moneyBack(await invoiceOf(stage, tenantId), '1000')
      await stage.operator.createCreditNote({ params, body: { ...body, to: 'payment' } })
    },
    done: isQuiet,
    outcome: moneyBackState,
  },
  {
    name: 'a request for another owner',
    before: newCustomer,
    act: async (stage, tenantId) => {
      const customer = await customerOf(stage, tenantId)
      await stage.operator.requestOwnerTransfer({
        params: { customerId: customer!.id },
        body: { to: { email: `new@${tenantId}.example`, name: 'New Owner' } },
      })
    },
    done: isQuiet,
    outcome: async (stage, tenantId) => ({
      traces: await traces(stage, tenantId),
      transfers: await stage.rows('select state from owner_transfers where tenant_id = $1', [tenantId]),
    }),
  },
  {
    name: 'a link to an archive',
    before: newCustomer,
    act: async (stage, tenantId) => {
      await stage.operator.createExport({ params: { customerId: (await customerOf(stage, tenantId))!.id } })
    },
    done: isQuiet,
    outcome: async (stage, tenantId) => ({ traces: await traces(stage, tenantId) }),
  },
  {
    name: 'a reconciliation that mends what was missed',
    before: async (stage, tenantId) => {
      await subscriber(stage, tenantId)
      await stage.control('/sandbox/faults', {
        kind: 'webhook',
        action: 'drop',
        type: 'customer.subscription.updated',
        count: 1,
      })
      const subscription = await subscriptionOf(stage, tenantId)
      await stage.stripe.subscriptions.update(subscription!.providerSubscriptionId, { cancel_at_period_end: true })
    },
    act: async (stage, tenantId) => {
      await stage.operator.startReconciliation({ body: { tenantId } })
    },
    done: async (stage, tenantId) => {
      const [run] = await stage.rows<{ state: string }>(
        'select state from reconciliation_runs where tenant_id = $1 order by started_at desc limit 1',
        [tenantId],
      )
      return run?.state === 'done' && (await statusOf(stage, tenantId)).endsAt !== null && isQuiet(stage)
    },
    outcome: async (stage, tenantId) => {
      const { traces: all, ...rest } = await state(stage, tenantId)
      // A repair that was done by a process which then died is found as gone: how a finding is closed may differ, its end may not.
      return {
        ...rest,
        traces: Object.fromEntries(
          Object.entries(all).map(([what, n]) => [what.replace(/finding\.(gone|repaired)/, 'finding.closed'), n]),
        ),
      }
    },
  },
  ...closeFlows,
  ...creditFlows,
]
