import type { Answer } from './support/report.ts'
import { median } from './support/rounds.ts'
import type { Scale } from './support/scale.ts'
import { createCustomer, type World } from './support/world.ts'

const template = 'close_template'

/** How many subscriptions a second are closed: their usage rated, its lines, audit and events written, the next period opened? */
export const measureClose = async (world: World, scale: Scale): Promise<Answer> => {
  const each = scale.customersMax >= 100_000 ? 10_000 : 2_000
  await createCustomer(world.operator, template)
  const rates: number[] = []
  for (let round = 0; round < Math.min(scale.rounds, 3); round++) {
    await seed(world, `close_${round}_`, round, each)
    rates.push(await timeClose(world, each))
    await check(world, `close_${round}_`, each)
  }
  return {
    question: 'Close: usage periods rated and written',
    measured: `${each.toLocaleString('en-US')} subscriptions with a graduated price whose period ended together, each with one counter above what is included; from the moment at which they are over until the last is committed, as the worker of the service does it by itself; afterwards every line is compared with its price worked out by the database`,
    limitedBy:
      'the service, most of a core of it for rating, for writing lines, audit and events as JSON and for handing them over, beside PostgreSQL, which needs nearly as much for the rows and their indexes; a second process takes other customers',
    figures: [
      {
        name: `close of ${each.toLocaleString('en-US')} subscriptions`,
        value: median(rates),
        unit: 'subscriptions/s',
        aim: '2,000/s',
      },
    ],
  }
}

/** All in one transaction, so that the worker sees all of them become due in the same moment. */
const seed = async (world: World, prefix: string, round: number, count: number): Promise<void> => {
  const id = (kind: string) => `'${kind}_' || lpad(($3::bigint * 1000000 + n)::text, 26, '0')`
  // Counted from its end, the month is one of the calendar on every day of the year.
  const end = `(date_trunc('second', now()) - interval '6 minutes')`
  const start = `(${end} - interval '1 month')`
  const window = `jsonb_build_object('kind', 'billing_period', 'start', to_char(${start} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'end', to_char(${end} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    'anchor', to_char(${end} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'interval', jsonb_build_object('unit', 'month', 'count', 1))`
  const from = (columns: string) =>
    `select ${columns} from (select * from customers where tenant_id = '${template}') c, generate_series(0, $2::int - 1) as n`
  const statements = [
    `insert into customers (tenant_id, customer_id, name, email, currency, created_at, updated_at, resolved_catalog)
     ${from(`$1 || n, ${id('customer')}, name, email, currency, created_at, updated_at, resolved_catalog`)}`,
    `insert into entitlement_snapshots (tenant_id, customer_id, version, effective_from, cause, content)
     select $1 || n, ${id('customer')}, 1, ${start}, s.cause, s.content || jsonb_build_object('plan', 'pro', 'planVersion', 1, 'subscriptionId', ${id('subscription')}, 'window', ${window})
     from (select * from entitlement_snapshots where tenant_id = '${template}' order by version desc limit 1) s, generate_series(0, $2::int - 1) as n`,
    `insert into subscriptions (tenant_id, subscription_id, customer_id, provider, provider_subscription_id, plan, plan_version, price, currency, interval_unit, interval_count, seats, add_ons, status,
       period_start, period_end, anchor, standing, started_at, updated_at)
     ${from(`$1 || n, ${id('subscription')}, ${id('customer')}, 'stripe', ${id('sub')}, 'pro', 1, 'monthly', 'USD', 'month', 1, 3, '[]', 'active', ${start}, ${end}, ${end},
       '{"paymentMethodOnFile":true,"paused":null,"collectionPaused":null}', ${start}, ${start}`)}`,
    `insert into provider_customers (tenant_id, provider, provider_customer_id)
     ${from(`$1 || n, 'stripe', ${id('cus')}`)}`,
    `insert into usage_terms (tenant_id, subscription_id, effective_from, plan, plan_version, price, currency, seats, add_ons)
     ${from(`$1 || n, ${id('subscription')}, ${start}, 'pro', 1, 'monthly', 'USD', 3, '[]'`)}`,
    `insert into usage_counters (tenant_id, meter, span, window_start, window_end, used, records, version, aggregation)
     ${from(`$1 || n, 'api_calls', 'period', ${start}, ${end}, 10001 + n % 9000, 100, 1, 'sum'`)}`,
    `insert into usage_periods (tenant_id, period_id, customer_id, subscription_id, period_start, period_end, regular_start, regular_end, state, opened_at)
     ${from(`$1 || n, ${id('period')}, ${id('customer')}, ${id('subscription')}, ${start}, ${end}, ${start}, ${end}, 'open', ${start}`)}`,
  ]
  const client = await world.sql.connect()
  try {
    await client.query('begin')
    for (const statement of statements)
      await client.query(
        statement,
        [prefix, count, ...(statement.includes('$3') ? [round + 1] : [])].slice(0, statement.includes('$3') ? 3 : 2),
      )
    await client.query('commit')
  } finally {
    client.release()
  }
}

const timeClose = async (world: World, count: number): Promise<number> => {
  // By an index, and not often: who asks shares the two cores.
  const open = async (): Promise<number> => {
    const { rows } = await world.sql.query(
      `select count(*)::int as n from usage_periods where state = 'open' and period_end < now()`,
    )
    return rows[0].n
  }
  // The worker looks once a second: the clock begins with its first batch.
  let left = count
  const startBy = performance.now() + 10_000
  while (left === count && performance.now() < startBy) left = await open()
  const [begin, first] = [performance.now(), left]
  const end = begin + 60_000
  while (left > 0 && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    left = await open()
  }
  if (left > 0) throw new Error(`${left} of ${count} periods were not closed within a minute`)
  return first / ((performance.now() - begin) / 1_000)
}

/** A rate of wrong lines is worth nothing. */
const check = async (world: World, prefix: string, count: number): Promise<void> => {
  const { rows } = await world.sql.query(
    `select count(*)::int as lines, count(*) filter (where amount_minor = round(least(over, 5000) * 0.4 + greatest(over - 5000, 0) * 0.25))::int as correct
     from charge_lines l join (select tenant_id, used - 10000 as over from usage_counters where span = 'period') c using (tenant_id) where tenant_id like $1 || '%'`,
    [prefix],
  )
  if (rows[0].lines !== count || rows[0].correct !== count)
    throw new Error(`of ${count} lines there are ${rows[0].lines}, and ${rows[0].correct} of them are right`)
}
