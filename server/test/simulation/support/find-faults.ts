import pg from 'pg'

/** Each statement names what must never be: a row is a sentence about one thing that went wrong. */
const faults: Record<string, string> = {
  'a webhook is still waiting, or was given up': `
    select event_id || ' is ' || state || ': ' || coalesce(last_error, 'never tried') from webhook_inbox where state not in ('applied', 'ignored')`,
  'the sequence of a customer has a gap or a double': `
    select s.tenant_id || ': ' || count(o.*) || ' events up to ' || coalesce(max(o.sequence), 0) || ', stream at ' || s.sequence
    from event_streams s left join outbox o using (tenant_id) group by s.tenant_id, s.sequence
    having count(o.*) <> s.sequence or count(distinct o.sequence) <> s.sequence or coalesce(max(o.sequence), 0) <> s.sequence`,
  'an event has no place in the feed': `select tenant_id || ' ' || sequence from outbox where position is null`,
  'the feed tells the events of a customer in another order': `
    select tenant_id || ' ' || sequence from (select tenant_id, sequence, position, lag(position) over (partition by tenant_id order by sequence) as earlier from outbox) o
    where position <= earlier`,
  'a subscription was not announced exactly once': `
    select s.subscription_id || ': ' || count(o.*) from subscriptions s
    left join outbox o on o.tenant_id = s.tenant_id and o.type = 'subscription.created' and o.data -> 'subscription' ->> 'id' = s.subscription_id
    group by s.subscription_id having count(o.*) <> 1`,
  'the end of a subscription was not announced exactly once': `
    select s.subscription_id || ' ' || s.status || ': ' || count(o.*) from subscriptions s
    left join outbox o on o.tenant_id = s.tenant_id and o.type = 'subscription.canceled' and o.data -> 'subscription' ->> 'id' = s.subscription_id
    group by s.subscription_id, s.status, s.ended_at having count(o.*) <> (s.ended_at is not null)::int`,
  'a paid invoice was not announced exactly once': `
    select i.provider_invoice_id || ' ' || i.status || ': ' || count(o.*) from invoices i
    left join outbox o on o.tenant_id = i.tenant_id and o.type = 'invoice.paid' and o.data -> 'invoice' ->> 'providerInvoiceId' = i.provider_invoice_id
    group by i.provider_invoice_id, i.status having count(o.*) <> (i.status = 'paid')::int`,
  'a completed checkout was not announced exactly once': `
    select c.checkout_id || ' ' || c.state || ': ' || count(o.*) from checkouts c
    left join outbox o on o.tenant_id = c.tenant_id and o.type = 'checkout.completed' and o.data -> 'checkout' ->> 'id' = c.checkout_id
    group by c.checkout_id, c.state having count(o.*) <> (c.state = 'completed')::int`,
  'audit and events tell different numbers of changes': `
    select tenant_id || ' ' || what || ': audit ' || sum(audited) || ', events ' || sum(told) from (
      select tenant_id, action as what, 1 as audited, 0 as told from audit_log where result = 'allowed' and (action = any(array['subscription.created', 'subscription.updated', 'subscription.canceled', 'checkout.completed']) or action like 'invoice.%')
      union all
      select tenant_id, type, 0, 1 from outbox where type = any(array['subscription.created', 'subscription.updated', 'subscription.canceled', 'checkout.completed']) or type like 'invoice.%') both_sides
    group by tenant_id, what having sum(audited) <> sum(told)`,
  'a snapshot is missing, or was not announced exactly once': `
    select s.tenant_id || ' ' || count(*) || ' snapshots up to ' || max(s.version) from entitlement_snapshots s
    where not exists (select from retentions r where r.tenant_id = s.tenant_id and r.state = 'deleted') group by s.tenant_id
    having count(*) <> max(s.version)
      or count(*) <> (select count(*) from outbox o where o.tenant_id = s.tenant_id and o.type = 'entitlements.updated')`,
  'a counter differs from its records': `
    select c.tenant_id || ' ' || c.meter || ' ' || c.span || ': ' || c.used || ' in ' || c.records || ', recorded ' || n.used || ' in ' || n.records
    from usage_counters c cross join lateral usage_counted(c.tenant_id, c.meter, c.span, c.window_start, c.window_end, c.aggregation) n
    where c.span not like 'sliding:%' and (c.used <> n.used or c.records <> n.records)`,
  'a record is in no counter': `
    select r.tenant_id || ' ' || r.idempotency_key from usage_records r
    where not exists (select from usage_counters c where c.tenant_id = r.tenant_id and c.meter = r.meter and c.span = 'period' and c.window_start = r.window_start)
      or not exists (select from usage_counters c where c.tenant_id = r.tenant_id and c.meter = r.meter and c.span = 'hour' and c.window_start = date_bin('1 hour', r.at, timestamptz 'epoch'))`,
  'a moved counter is still to be announced': `select 'move ' || move_id || ' of ' || tenant_ids::text from usage_moves`,
  'what was last announced of a counter is not what it says': `
    select c.tenant_id || ' ' || c.meter || ': ' || c.used || ', announced ' || coalesce(last.told ->> 'used', 'never') from usage_counters c
    left join lateral (
      select told from outbox o cross join lateral jsonb_array_elements(o.data -> 'meters') told
      where o.tenant_id = c.tenant_id and o.type = 'usage.updated' and told ->> 'meter' = c.meter and (told ->> 'windowStart')::timestamptz = c.window_start
      order by o.sequence desc limit 1) last on true
    where c.span = 'period' and c.records > 0 and (last.told ->> 'used')::numeric is distinct from c.used`,
  'a ledger does not add up': `
    select a.tenant_id || ' ' || a.account || ': ' || a.balance_minor from ledger_accounts a
    where a.balance_minor <> (select coalesce(sum(e.amount_minor), 0) from ledger_entries e where e.tenant_id = a.tenant_id and e.account = a.account and e.currency = a.currency)
    union all select tenant_id || ' ' || currency || ': sum ' || sum(amount_minor) from ledger_entries group by tenant_id, currency having sum(amount_minor) <> 0`,
  // What a process held that is gone is free: the database knows who is here.
  'a lease was never given back': `
    select provider_customer_id from provider_leases where leased_until > '-infinity' and holder in (
      select objid::bigint from pg_locks where locktype = 'advisory' and classid = 7701 and database = (select oid from pg_database where datname = current_database()))`,
}

/** Everything that must never be, looked for in the database itself: an empty list is the promise kept. */
export const findFaults = async (databaseUrl: string): Promise<string[]> => {
  const client = new pg.Client(databaseUrl)
  client.on('error', () => {})
  await client.connect()
  try {
    const found: string[] = []
    for (const [fault, statement] of Object.entries(faults)) {
      const { rows } = await client.query<string[]>({ text: statement, rowMode: 'array' })
      found.push(...rows.slice(0, 5).map(([what]) => `${fault}: ${what}`))
    }
    return found
  } finally {
    await client.end()
  }
}
