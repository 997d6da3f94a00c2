import { instantOfRow, instantOfRowOrNull } from '../../core/period.ts'
import { type Db, query, queryOne, sql, type Tx } from '../../platform/db.ts'
import type { Left } from './leave.ts'
import type { Billed } from './lines-of.ts'
import type { ChargeLine, Placing, Terms, UsagePeriod } from './usage-period.ts'

type PeriodRow = {
  tenant_id: string
  period_id: string
  customer_id: string
  subscription_id: string
  period_start: string
  period_end: string
  regular_start: string
  regular_end: string
  by_records: boolean
  state: UsagePeriod['state']
  opened_at: string
  rated_at: string | null
  late_until: string | null
  input_hash: string | null
  rated_in: string | null
  leaves: Left | null
}
const periodFromRow = (row: PeriodRow): UsagePeriod => ({
  tenantId: row.tenant_id,
  periodId: row.period_id,
  customerId: row.customer_id,
  subscriptionId: row.subscription_id,
  period: { start: instantOfRow(row.period_start), end: instantOfRow(row.period_end) },
  regular: { start: instantOfRow(row.regular_start), end: instantOfRow(row.regular_end) },
  byRecords: row.by_records,
  state: row.state,
  openedAt: instantOfRow(row.opened_at),
  ratedAt: instantOfRowOrNull(row.rated_at),
  lateUntil: instantOfRowOrNull(row.late_until),
  inputHash: row.input_hash,
  ratedIn: row.rated_in,
  leaves: row.leaves,
})
const columns = sql`p.tenant_id, p.period_id, p.customer_id, p.subscription_id, p.period_start, p.period_end, p.regular_start, p.regular_end, p.by_records, p.state, p.opened_at, p.rated_at, p.late_until, p.input_hash, p.input ->> 'timeZone' as rated_in, p.leaves`

const text = (instant: Temporal.Instant | null): string | null => instant?.toString() ?? null

// What is read of many tenants at once is read tenant by tenant: `offset 0` keeps it so. Left to itself, the planner reads
// everything that is due, of whomever, for each few hundred of them.

// ── Terms ───────────────────────────────────────────────────────────────────────────────────────────────────────────

type TermsRow = {
  tenant_id: string
  subscription_id: string
  effective_from: string
  plan: string
  plan_version: number
  price: string
  currency: string
  seats: number
  add_ons: Terms['addOns']
  trial_ends_at: string | null
}

/** All terms that subscriptions of these tenants were ever on, oldest first. */
export const findTerms = async (on: Db | Tx, tenantIds: readonly string[]): Promise<Terms[]> =>
  (
    await query<TermsRow>(
      on,
      sql`select * from usage_terms where tenant_id = any(${[...tenantIds]}) order by tenant_id, subscription_id, effective_from`,
    )
  ).map((row) => ({
    tenantId: row.tenant_id,
    subscriptionId: row.subscription_id,
    from: instantOfRow(row.effective_from),
    plan: row.plan,
    planVersion: row.plan_version,
    price: row.price,
    currency: row.currency,
    seats: row.seats,
    addOns: row.add_ons,
    trialEndsAt: instantOfRowOrNull(row.trial_ends_at),
  }))

/** Writes terms down; of two from the same moment the later heard of count. */
export const insertTerms = async (tx: Tx, terms: Terms): Promise<void> => {
  await query(
    tx,
    sql`insert into usage_terms (tenant_id, subscription_id, effective_from, plan, plan_version, price, currency, seats, add_ons, trial_ends_at)
        values (${terms.tenantId}, ${terms.subscriptionId}, ${text(terms.from)}, ${terms.plan}, ${terms.planVersion}, ${terms.price}, ${terms.currency}, ${terms.seats}, ${JSON.stringify(terms.addOns)}, ${text(terms.trialEndsAt)})
        on conflict (tenant_id, subscription_id, effective_from) do update set plan = excluded.plan, plan_version = excluded.plan_version, price = excluded.price,
          currency = excluded.currency, seats = excluded.seats, add_ons = excluded.add_ons, trial_ends_at = coalesce(excluded.trial_ends_at, usage_terms.trial_ends_at)`,
  )
}

// ── Periods ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export const findOpenPeriods = async (on: Db | Tx, tenantIds: readonly string[]): Promise<UsagePeriod[]> =>
  (
    await query<PeriodRow>(
      on,
      sql`select ${columns} from usage_periods p where tenant_id = any(${[...tenantIds]}) and state = 'open' order by tenant_id, period_start`,
    )
  ).map(periodFromRow)

/** When periods of these tenants begin, in order, whatever their state. */
export const findPeriodStarts = async (
  on: Db | Tx,
  tenantIds: readonly string[],
  from: Temporal.Instant,
): Promise<{ tenantId: string; start: Temporal.Instant }[]> =>
  (
    await query<{ tenant_id: string; period_start: string }>(
      on,
      sql`select p.* from unnest(${[...tenantIds]}::text[]) as t (id)
          cross join lateral (select tenant_id, period_start from usage_periods where tenant_id = t.id and period_start >= ${text(from)} offset 0) p order by period_start`,
    )
  ).map((row) => ({ tenantId: row.tenant_id, start: instantOfRow(row.period_start) }))

/** Until when a tenant's usage has been rated; null before the first close. */
export const ratedUntil = async (on: Db | Tx, tenantId: string): Promise<Temporal.Instant | null> =>
  instantOfRowOrNull(
    (await queryOne<{ end: string | null }>(
      on,
      sql`select max(period_end) as end from usage_periods where tenant_id = ${tenantId} and state <> 'open'`,
    ))!.end,
  )

/** Opens periods; one that is there already stays as it is. */
export const insertPeriods = async (tx: Tx, periods: readonly UsagePeriod[]): Promise<void> => {
  if (periods.length === 0) return
  const rows = periods.map((p) => ({
    t: p.tenantId,
    i: p.periodId,
    c: p.customerId,
    s: p.subscriptionId,
    a: text(p.period.start),
    z: text(p.period.end),
    ra: text(p.regular.start),
    rz: text(p.regular.end),
    b: p.byRecords,
    o: text(p.openedAt),
  }))
  await query(
    tx,
    sql`insert into usage_periods (tenant_id, period_id, customer_id, subscription_id, period_start, period_end, regular_start, regular_end, by_records, state, opened_at)
        select t, i, c, s, a, z, ra, rz, b, 'open', o
        from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (t text, i text, c text, s text, a timestamptz, z timestamptz, ra timestamptz, rz timestamptz, b boolean, o timestamptz)
        on conflict do nothing`,
  )
}

/** An open period ends at another time. */
export const movePeriod = async (
  tx: Tx,
  { tenantId, periodId, period, regular, byRecords }: UsagePeriod,
): Promise<void> => {
  await query(
    tx,
    sql`update usage_periods set period_end = ${text(period.end)}, regular_start = ${text(regular.start)}, regular_end = ${text(regular.end)}, by_records = ${byRecords}
        where tenant_id = ${tenantId} and period_id = ${periodId} and state = 'open'`,
  )
}

export const removePeriod = async (tx: Tx, { tenantId, periodId }: UsagePeriod): Promise<void> => {
  await query(
    tx,
    sql`delete from usage_periods where tenant_id = ${tenantId} and period_id = ${periodId} and state = 'open'`,
  )
}

/** Tenants with a period that ended by `endedBy`, or one whose last time to compare has come, the longest waiting first. */
export const tenantsToClose = async (
  db: Db,
  endedBy: Temporal.Instant,
  at: Temporal.Instant,
  limit: number,
): Promise<string[]> =>
  (
    await query<{ tenant_id: string }>(
      db,
      sql`(select tenant_id from usage_periods where state = 'open' and period_end <= ${text(endedBy)} order by period_end limit ${limit})
          union
          (select tenant_id from usage_periods where state in ('rated', 'nothing_due', 'placed') and late_until <= ${text(at)} order by late_until limit ${limit})
          limit ${limit}`,
    )
  ).map((row) => row.tenant_id)

/** The periods of these tenants that are over and not settled: those to rate, and those that were rated and may differ by now. */
export const findPeriodsToRate = async (
  tx: Tx,
  tenantIds: readonly string[],
  endedBy: Temporal.Instant,
): Promise<UsagePeriod[]> =>
  (
    await query<PeriodRow>(
      tx,
      sql`select ${columns} from unnest(${[...tenantIds]}::text[]) as t (id)
          cross join lateral (select * from usage_periods where tenant_id = t.id and state <> 'settled' and (state <> 'open' or period_end <= ${text(endedBy)}) offset 0) p
          order by tenant_id, period_start`,
    )
  ).map(periodFromRow)

export type RatedPeriod = Pick<UsagePeriod, 'tenantId' | 'periodId' | 'state' | 'inputHash' | 'lateUntil'> & {
  input: string
  leaves: Left | null
}

/** What the periods left that end where these begin, by the id of the later one. */
export const findLeftBefore = async (
  on: Db | Tx,
  periods: readonly Pick<UsagePeriod, 'tenantId' | 'subscriptionId' | 'periodId' | 'period'>[],
): Promise<Map<string, Left>> => {
  if (periods.length === 0) return new Map()
  const rows = await query<{ period_id: string; leaves: Left }>(
    on,
    sql`select a.period_id, p.leaves
        from unnest(${periods.map((p) => p.tenantId)}::text[], ${periods.map((p) => p.subscriptionId)}::text[], ${periods.map((p) => p.periodId)}::text[], ${periods.map((p) => text(p.period.start))}::timestamptz[]) as a (tenant_id, subscription_id, period_id, starts)
        join usage_periods p on p.tenant_id = a.tenant_id and p.subscription_id = a.subscription_id and p.period_end = a.starts
        where p.leaves is not null`,
  )
  return new Map(rows.map((row) => [row.period_id, row.leaves]))
}

/** Whether a period that ended by then has not been rated yet. */
export const isCloseDue = async (on: Db | Tx, tenantId: string, endedBy: Temporal.Instant): Promise<boolean> =>
  (
    await query(
      on,
      sql`select from usage_periods where tenant_id = ${tenantId} and state = 'open' and period_end <= ${text(endedBy)} limit 1`,
    )
  ).length > 0

/** Writes down how periods were rated. */
export const saveRated = async (tx: Tx, periods: readonly RatedPeriod[], at: Temporal.Instant): Promise<void> => {
  if (periods.length === 0) return
  await query(
    tx,
    sql`update usage_periods p set state = r.state, input = r.input::json, input_hash = r.hash, leaves = r.leaves::json, late_until = r.late::timestamptz, rated_at = coalesce(p.rated_at, ${text(at)}::timestamptz)
        from unnest(${periods.map((p) => p.tenantId)}::text[], ${periods.map((p) => p.periodId)}::text[], ${periods.map((p) => p.state)}::text[], ${periods.map((p) => p.input)}::text[],
          ${periods.map((p) => p.inputHash)}::text[], ${periods.map((p) => text(p.lateUntil))}::text[], ${periods.map((p) => p.leaves && JSON.stringify(p.leaves))}::text[]) as r (t, i, state, input, hash, late, leaves)
        where p.tenant_id = r.t and p.period_id = r.i`,
  )
}

/** A period's lines have reached an invoice. */
export const markPlaced = async (tx: Tx, tenantId: string, placingId: string): Promise<void> => {
  await query(
    tx,
    sql`update usage_periods p set state = 'placed' where tenant_id = ${tenantId} and state = 'rated'
          and exists (select from charge_lines l where l.tenant_id = p.tenant_id and l.period_id = p.period_id and l.placing_id = ${placingId})
          and not exists (select from charge_lines l where l.tenant_id = p.tenant_id and l.period_id = p.period_id and l.amount_minor <> 0 and l.placed_at is null)`,
  )
}

export const findPeriods = async (
  on: Db | Tx,
  page: {
    tenantId: string | null
    state: UsagePeriod['state'] | null
    before: { end: string; periodId: string } | null
    limit: number
  },
): Promise<UsagePeriod[]> =>
  (
    await query<PeriodRow>(
      on,
      sql`select ${columns} from usage_periods p
          where (${page.tenantId}::text is null or tenant_id = ${page.tenantId}) and (${page.state}::text is null or state = ${page.state})
            and (${page.before === null} or (period_end, period_id) < (${page.before?.end ?? null}::timestamptz, ${page.before?.periodId ?? null}::text))
          order by period_end desc, period_id desc limit ${page.limit}`,
    )
  ).map(periodFromRow)

// ── Lines ───────────────────────────────────────────────────────────────────────────────────────────────────────────

type LineRow = {
  tenant_id: string
  line_id: string
  period_id: string
  subscription_id: string
  placing_id: string | null
  credit_note_id: string | null
  ordinal: number
  charge: string
  name: string
  kind: ChargeLine['kind']
  quantity: string
  amount_minor: string
  currency: string
  exact_amount: string
  line_start: string
  line_end: string
  calculation: ChargeLine['calculation']
  source: ChargeLine['source']
  provider_invoice_id: string | null
  provider_item_id: string | null
  created_at: string
  placed_at: string | null
}
const lineFromRow = (row: LineRow): ChargeLine => ({
  tenantId: row.tenant_id,
  lineId: row.line_id,
  periodId: row.period_id,
  subscriptionId: row.subscription_id,
  placingId: row.placing_id,
  creditNoteId: row.credit_note_id,
  ordinal: row.ordinal,
  charge: row.charge,
  name: row.name,
  kind: row.kind,
  quantity: row.quantity,
  amountMinor: BigInt(row.amount_minor),
  currency: row.currency,
  exactAmount: row.exact_amount,
  period: { start: instantOfRow(row.line_start), end: instantOfRow(row.line_end) },
  calculation: row.calculation,
  source: row.source,
  providerInvoiceId: row.provider_invoice_id,
  providerItemId: row.provider_item_id,
  createdAt: instantOfRow(row.created_at),
  placedAt: instantOfRowOrNull(row.placed_at),
})

/** What was charged for periods so far, by period. */
export const findBilled = async (
  on: Db | Tx,
  tenantIds: readonly string[],
  periodIds: readonly string[],
): Promise<Map<string, Billed[]>> => {
  if (periodIds.length === 0) return new Map()
  const rows = await query<{ period_id: string; charge: string; amount_minor: string; quantity: string }>(
    on,
    sql`select period_id, charge, amount_minor, quantity from charge_lines
        where tenant_id = any(${[...tenantIds]}) and period_id = any(${[...periodIds]}) and kind not in ('credit', 'rest') order by period_id, ordinal`,
  )
  const billed = rows.map((row) => ({ ...row, amountMinor: BigInt(row.amount_minor) }))
  return Map.groupBy(billed, (row) => row.period_id)
}

/** The lines of one placing, those on one invoice, or those of a subscription that are on none yet; in order. */
export const findLines = async (
  on: Db | Tx,
  tenantId: string,
  of: { placingId: string } | { providerInvoiceId: string } | { unplacedOf: string },
): Promise<ChargeLine[]> =>
  (
    await query<LineRow>(
      on,
      sql`select * from charge_lines where tenant_id = ${tenantId} and ${
        'placingId' in of
          ? sql`placing_id = ${of.placingId}`
          : 'providerInvoiceId' in of
            ? sql`provider_invoice_id = ${of.providerInvoiceId}`
            : sql`subscription_id = ${of.unplacedOf} and placed_at is null and credit_note_id is null and amount_minor <> 0`
      } order by line_start, period_id, ordinal`,
    )
  ).map(lineFromRow)

/** The lines of several periods, by period and in order. */
export const findLinesOf = async (on: Db | Tx, periods: readonly UsagePeriod[]): Promise<Map<string, ChargeLine[]>> => {
  if (periods.length === 0) return new Map()
  const rows = await query<LineRow>(
    on,
    sql`select l.* from unnest(${periods.map((p) => p.tenantId)}::text[], ${periods.map((p) => p.periodId)}::text[]) as k (t, p)
        join charge_lines l on l.tenant_id = k.t and l.period_id = k.p order by l.period_id, l.ordinal`,
  )
  return Map.groupBy(rows.map(lineFromRow), ({ periodId }) => periodId)
}

/** Our lines on these invoices of the provider, whoever they belong to. */
export const findPlacedLines = async (
  on: Db | Tx,
  providerInvoiceIds: readonly string[],
): Promise<{ tenantId: string; lineId: string; name: string; amountMinor: bigint; providerInvoiceId: string }[]> =>
  (
    await query<LineRow>(
      on,
      sql`select * from charge_lines where provider_invoice_id = any(${[...providerInvoiceIds]}) order by line_id`,
    )
  ).map((row) => ({
    tenantId: row.tenant_id,
    lineId: row.line_id,
    name: row.name,
    amountMinor: BigInt(row.amount_minor),
    providerInvoiceId: row.provider_invoice_id!,
  }))

/** Why placings wait, by their id: those that a try has failed for. */
export const findFailures = async (on: Db | Tx, placingIds: readonly string[]): Promise<Map<string, string>> =>
  new Map(
    (
      await query<{ placing_id: string; failure: string }>(
        on,
        sql`select placing_id, failure from placings where placing_id = any(${[...placingIds]}) and state = 'waiting' and failure is not null`,
      )
    ).map((row) => [row.placing_id, row.failure]),
  )

export type NewLine = Omit<ChargeLine, 'providerInvoiceId' | 'providerItemId' | 'placedAt'>

/** Appends lines. A line that is there already fails the whole: two closes of one period never both count. */
export const insertLines = async (tx: Tx, lines: readonly NewLine[]): Promise<void> => {
  if (lines.length === 0) return
  const column = <V>(of: (line: NewLine) => V) => lines.map(of)
  await query(
    tx,
    sql`insert into charge_lines (tenant_id, line_id, period_id, subscription_id, placing_id, credit_note_id, ordinal, charge, name, kind, quantity, amount_minor, currency, exact_amount, line_start, line_end, calculation, source, created_at)
        select t, l, p, s, g, cn, o, c, n, k, q, a, u, e, ls, le, calc::json, src::json, at
        from unnest(${column((l) => l.tenantId)}::text[], ${column((l) => l.lineId)}::text[], ${column((l) => l.periodId)}::text[], ${column((l) => l.subscriptionId)}::text[], ${column((l) => l.placingId)}::text[], ${column((l) => l.creditNoteId)}::text[],
          ${column((l) => l.ordinal)}::int[], ${column((l) => l.charge)}::text[], ${column((l) => l.name)}::text[], ${column((l) => l.kind)}::text[], ${column((l) => l.quantity)}::text[],
          ${column((l) => String(l.amountMinor))}::numeric[], ${column((l) => l.currency)}::text[], ${column((l) => l.exactAmount)}::text[], ${column((l) => text(l.period.start))}::timestamptz[],
          ${column((l) => text(l.period.end))}::timestamptz[], ${column((l) => JSON.stringify(l.calculation))}::text[], ${column((l) => (l.source === null ? null : JSON.stringify(l.source)))}::text[],
          ${column((l) => text(l.createdAt))}::timestamptz[]) as r (t, l, p, s, g, cn, o, c, n, k, q, a, u, e, ls, le, calc, src, at)`,
  )
}

/** Whether a line is still to be brought to an invoice. */
export const isWaiting = ({ placingId, creditNoteId, amountMinor }: NewLine): boolean =>
  placingId === null && creditNoteId === null && amountMinor !== 0n
/** The same, of a row. */
const waits = sql`l.placing_id is null and l.credit_note_id is null and l.amount_minor <> 0`

/** How much of subscriptions waits for an invoice, in the smallest unit of its currency; those of which nothing does are missing. */
export const sumWaiting = async (on: Db | Tx, tenantIds: readonly string[]): Promise<Map<string, bigint>> =>
  new Map(
    (
      await query<{ subscription_id: string; amount: string }>(
        on,
        sql`select l.subscription_id, sum(l.amount_minor) as amount from unnest(${[...tenantIds]}::text[]) as t (id)
            cross join lateral (select l.* from charge_lines l where l.tenant_id = t.id and ${waits} offset 0) l group by 1`,
      )
    ).map((row) => [row.subscription_id, BigInt(row.amount)]),
  )

/** Lines that waited go along with a placing. */
export const joinPlacings = async (tx: Tx, placings: readonly Placing[]): Promise<void> => {
  if (placings.length === 0) return
  await query(
    tx,
    sql`update charge_lines l set placing_id = w.placing_id
        from (select w.tenant_id, w.line_id, g.i as placing_id
              from unnest(${placings.map((p) => p.tenantId)}::text[], ${placings.map((p) => p.subscriptionId)}::text[], ${placings.map((p) => p.placingId)}::text[]) as g (t, s, i)
              cross join lateral (select l.* from charge_lines l where l.tenant_id = g.t and l.subscription_id = g.s and ${waits} offset 0) w) w
        where l.tenant_id = w.tenant_id and l.line_id = w.line_id`,
  )
}

/** The lines of a placing wait for the next one. */
export const leavePlacing = async (tx: Tx, { tenantId, placingId }: Placing): Promise<void> => {
  await query(
    tx,
    sql`update charge_lines set placing_id = null where tenant_id = ${tenantId} and placing_id = ${placingId} and placed_at is null`,
  )
}

/** Lines have become these items of the provider. */
export const markLinesPlaced = async (
  tx: Tx,
  tenantId: string,
  providerInvoiceId: string,
  items: ReadonlyMap<string, string>,
  at: Temporal.Instant,
): Promise<void> => {
  await query(
    tx,
    sql`update charge_lines l set provider_invoice_id = ${providerInvoiceId}, provider_item_id = i.item, placed_at = ${text(at)}
        from unnest(${[...items.keys()]}::text[], ${[...items.values()]}::text[]) as i (line, item)
        where l.tenant_id = ${tenantId} and l.line_id = i.line and l.placed_at is null`,
  )
}

/**
 * The invoice that the first lines of a period are on, and what its lines there still come to: less what credit notes took
 * already. Null where none is on one.
 */
export const billedOnInvoice = async (
  on: Db | Tx,
  tenantId: string,
  periodId: string,
): Promise<{ providerInvoiceId: string; amountMinor: bigint } | null> => {
  const row = await queryOne<{ invoice: string; amount: string }>(
    on,
    sql`select f.provider_invoice_id as invoice, sum(l.amount_minor) as amount
        from (select provider_invoice_id from charge_lines where tenant_id = ${tenantId} and period_id = ${periodId} and provider_invoice_id is not null
              order by placed_at, provider_invoice_id limit 1) f
        join charge_lines l on l.tenant_id = ${tenantId} and l.period_id = ${periodId} and (l.provider_invoice_id = f.provider_invoice_id or l.credit_note_id is not null)
        group by 1`,
  )
  return row && { providerInvoiceId: row.invoice, amountMinor: BigInt(row.amount) }
}

/** The lines that credit notes give back, in order. */
export const findCreditedLines = async (
  on: Db | Tx,
  tenantId: string,
  creditNoteIds: readonly string[],
): Promise<ChargeLine[]> =>
  (
    await query<LineRow>(
      on,
      sql`select * from charge_lines where tenant_id = ${tenantId} and credit_note_id = any(${[...creditNoteIds]}) order by line_start, period_id, ordinal`,
    )
  ).map(lineFromRow)

/** A credit note is issued: its lines are where they belong. Answers how many there were. */
export const markCredited = async (
  tx: Tx,
  tenantId: string,
  creditNoteId: string,
  at: Temporal.Instant,
): Promise<number> => {
  const lines = await query(
    tx,
    sql`update charge_lines set placed_at = ${text(at)} where tenant_id = ${tenantId} and credit_note_id = ${creditNoteId} and placed_at is null returning line_id`,
  )
  await query(
    tx,
    sql`update usage_periods p set state = 'placed' where tenant_id = ${tenantId} and state = 'rated'
          and exists (select from charge_lines l where l.tenant_id = p.tenant_id and l.period_id = p.period_id and l.credit_note_id = ${creditNoteId})
          and not exists (select from charge_lines l where l.tenant_id = p.tenant_id and l.period_id = p.period_id and l.amount_minor <> 0 and l.placed_at is null)`,
  )
  return lines.length
}

/** A credit note came to nothing: its lines wait for the next invoice. Answers how many there were. */
export const leaveCreditNote = async (tx: Tx, tenantId: string, creditNoteId: string): Promise<number> => {
  await query(
    tx,
    sql`update usage_periods p set state = 'rated' where tenant_id = ${tenantId} and state = 'placed'
          and exists (select from charge_lines l where l.tenant_id = p.tenant_id and l.period_id = p.period_id and l.credit_note_id = ${creditNoteId})`,
  )
  const lines = await query(
    tx,
    sql`update charge_lines set credit_note_id = null, placed_at = null where tenant_id = ${tenantId} and credit_note_id = ${creditNoteId} returning line_id`,
  )
  return lines.length
}

// ── Placings ────────────────────────────────────────────────────────────────────────────────────────────────────────

type PlacingRow = {
  tenant_id: string
  placing_id: string
  customer_id: string
  subscription_id: string
  provider_subscription_id: string
  renewal_at: string | null
  currency: string
  state: Placing['state']
  provider_invoice_id: string | null
  own: boolean
  attempts: number
  due_at: string
  failure: string | null
  created_at: string
  settled_at: string | null
}
const placingFromRow = (row: PlacingRow): Placing => ({
  tenantId: row.tenant_id,
  placingId: row.placing_id,
  customerId: row.customer_id,
  subscriptionId: row.subscription_id,
  providerSubscriptionId: row.provider_subscription_id,
  renewalAt: instantOfRowOrNull(row.renewal_at),
  currency: row.currency,
  state: row.state,
  providerInvoiceId: row.provider_invoice_id,
  own: row.own,
  attempts: row.attempts,
  dueAt: instantOfRow(row.due_at),
  failure: row.failure,
  createdAt: instantOfRow(row.created_at),
  settledAt: instantOfRowOrNull(row.settled_at),
})

export const insertPlacings = async (tx: Tx, placings: readonly Placing[]): Promise<void> => {
  if (placings.length === 0) return
  const column = <V>(of: (placing: Placing) => V) => placings.map(of)
  await query(
    tx,
    sql`insert into placings (tenant_id, placing_id, customer_id, subscription_id, provider_subscription_id, renewal_at, currency, state, due_at, created_at)
        select t, i, c, s, p, r, u, 'waiting', d, a
        from unnest(${column((p) => p.tenantId)}::text[], ${column((p) => p.placingId)}::text[], ${column((p) => p.customerId)}::text[], ${column((p) => p.subscriptionId)}::text[],
          ${column((p) => p.providerSubscriptionId)}::text[], ${column((p) => text(p.renewalAt))}::timestamptz[], ${column((p) => p.currency)}::text[], ${column((p) => text(p.dueAt))}::timestamptz[],
          ${column((p) => text(p.createdAt))}::timestamptz[]) as r (t, i, c, s, p, r, u, d, a)`,
  )
}

/** Takes placings that are due for a while: whoever dies over one leaves it to the next who comes by after that. */
export const takeDuePlacings = async (
  db: Db,
  at: Temporal.Instant,
  until: Temporal.Instant,
  limit: number,
): Promise<Placing[]> =>
  (
    await query<PlacingRow>(
      db,
      sql`update placings p set due_at = ${text(until)}, attempts = p.attempts + 1
          from (select tenant_id, placing_id from placings where state = 'waiting' and due_at <= ${text(at)} order by due_at limit ${limit} for update skip locked) d
          where p.tenant_id = d.tenant_id and p.placing_id = d.placing_id returning p.*`,
    )
  ).map(placingFromRow)

export const findPlacing = async (on: Db | Tx, tenantId: string, placingId: string): Promise<Placing | null> => {
  const row = await queryOne<PlacingRow>(
    on,
    sql`select * from placings where tenant_id = ${tenantId} and placing_id = ${placingId}`,
  )
  return row && placingFromRow(row)
}

/** Writes what becomes of a placing. The caller holds the customer's row. */
export const savePlacing = async (tx: Tx, p: Placing): Promise<void> => {
  await query(
    tx,
    sql`update placings set renewal_at = ${text(p.renewalAt)}, state = ${p.state}, provider_invoice_id = ${p.providerInvoiceId}, own = ${p.own}, due_at = ${text(p.dueAt)}, failure = ${p.failure}, settled_at = ${text(p.settledAt)}
        where tenant_id = ${p.tenantId} and placing_id = ${p.placingId}`,
  )
}

type CloseFigures = {
  open: number
  due: number
  oldestDue: Temporal.Instant | null
  waiting: number
  failing: number
  oldestWaiting: Temporal.Instant | null
}

/** How far the close is: what is due, what waits for an invoice, and since when. */
export const readCloseFigures = async (db: Db, endedBy: Temporal.Instant): Promise<CloseFigures> => {
  const row = (await queryOne<{
    open: bigint
    due: bigint
    oldest_due: string | null
    waiting: bigint
    failing: bigint
    oldest_waiting: string | null
  }>(
    db,
    sql`select (select count(*) from usage_periods where state = 'open') as open, d.*, w.*
        from (select count(*) as due, min(period_end) as oldest_due from usage_periods where state = 'open' and period_end <= ${text(endedBy)}) d,
             (select count(*) as waiting, count(*) filter (where failure is not null) as failing, min(created_at) as oldest_waiting from placings where state = 'waiting') w`,
  ))!
  return {
    open: Number(row.open),
    due: Number(row.due),
    oldestDue: instantOfRowOrNull(row.oldest_due),
    waiting: Number(row.waiting),
    failing: Number(row.failing),
    oldestWaiting: instantOfRowOrNull(row.oldest_waiting),
  }
}

/** Since when usage of tenants is still looked at, rated or compared: what is before that is closed for good. */
export const unsettledSince = async (db: Db, tenantIds: readonly string[]): Promise<Map<string, Temporal.Instant>> =>
  new Map(
    (
      await query<{ tenant_id: string; since: string }>(
        db,
        sql`select tenant_id, min(period_start) as since from usage_periods where tenant_id = any (${[...tenantIds]}::text[]) and state <> 'settled' group by 1`,
      )
    ).map((row) => [row.tenant_id, instantOfRow(row.since)]),
  )
