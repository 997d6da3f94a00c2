import Fastify from 'fastify'
import pg from 'pg'

// What is measured against: Fastify that reads a body and answers, the same with one bare insert, and a bare batch insert.
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: Number(process.env.POOL_MAX) })
pool.on('error', (error) => console.error(error.message))

await pool.query(`
  create table if not exists bare_webhooks (like webhook_inbox including indexes including identity including defaults);
  create table if not exists bare_records (like usage_records including indexes)`)

const app = Fastify({ bodyLimit: 8_388_608 })
const answers = new Map<number, string>()
const answerOf = (bytes: number): string => {
  const known = answers.get(bytes) ?? JSON.stringify({ data: 'x'.repeat(Math.max(0, bytes - 11)) })
  answers.set(bytes, known)
  return known
}
app.post('/empty/:bytes', (request, reply) => {
  reply
    .header('content-type', 'application/json; charset=utf-8')
    .send(answerOf(Number((request.params as { bytes: string }).bytes)))
})

app.post('/insert', async (request, reply) => {
  const { id, type, data } = request.body as { id: string; type: string; data: { object: Record<string, string> } }
  await pool.query({
    name: 'bare_webhook',
    text: `insert into bare_webhooks (provider, event_id, type, object_id, provider_customer_id, state, received_at, due_at)
           values ('stripe', $1, $2, $3, $4, 'pending', now(), now())`,
    values: [id, type, data.object.id, data.object.customer],
  })
  reply.header('content-type', 'application/json; charset=utf-8').send(answerOf(100))
})

/** Inserts batches of usage records until told to stop, a number at a time, with the driver's own arrays. */
const insertBatches = async (order: { size: number; tenants: number; atATime: number; durationMs: number }) => {
  const begin = performance.now()
  let batches = 0
  const one = async (worker: number) => {
    for (let n = 0; performance.now() - begin < order.durationMs; n++) {
      const ids = Array.from({ length: order.size }, (_, i) => i)
      await pool.query({
        name: 'bare_records',
        text: `insert into bare_records (tenant_id, idempotency_key, meter, quantity, at, window_start, used_after, recorded_at)
               select t, k, 'api_calls', 1, now(), date_trunc('month', now()), u, now()
               from unnest($1::text[], $2::text[], $3::numeric[]) as r (t, k, u)`,
        values: [ids.map((i) => `bench_${i % order.tenants}`), ids.map((i) => `${begin}-${worker}-${n}-${i}`), ids],
      })
      batches++
    }
  }
  await Promise.all(Array.from({ length: order.atATime }, (_, worker) => one(worker)))
  return (batches * order.size * 1_000) / (performance.now() - begin)
}
process.on('message', (order: Parameters<typeof insertBatches>[0]) => {
  insertBatches(order).then((perSecond) => process.send!({ perSecond }))
})

const url = await app.listen({ host: '127.0.0.1', port: 0 })
process.send!({ url })
