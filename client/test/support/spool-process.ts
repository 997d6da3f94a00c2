import { createChecker, createClient } from '../../src/index.ts'
import { openSpool } from '../../src/spool/index.ts'

// A host product in a process of its own, for tests that kill it: it uses things up and says what it was told of each.
const [baseUrl, credential, folder, tenantId, run] = process.argv.slice(2) as [string, string, string, string, string]
const client = createClient({ baseUrl, credential, retries: 0 })
const spool = openSpool({
  folder,
  client,
  timeoutMs: 300,
  // As in life, only sooner.
  timer: (work, ms) => {
    const handle = setTimeout(work, ms / 100)
    return () => clearTimeout(handle)
  },
})
const checker = createChecker(client, { policies: { tokens: 'open' }, spool, timeoutMs: 300, retryOutageAfterMs: 10 })

const use = async (n: number): Promise<void> => {
  const key = `${run}-${n}`
  if (n % 3 > 0) {
    const { status } = await spool.report({ tenantId, meter: 'api_calls', idempotencyKey: key })
    process.send?.({ key, told: status })
    return
  }
  const { allowed, source } = await checker.consume(tenantId, 'tokens', 1, key)
  process.send?.({
    key: `check:${key}:tokens`,
    told: !allowed ? 'refused' : source === 'service' ? 'answered' : 'spooled',
  })
}

process.once('disconnect', () => process.exit())
for (let n = 0; n < 150; n += 5) await Promise.all([0, 1, 2, 3, 4].map((more) => use(n + more)))
while (!(await spool.flush()));
process.send?.({ done: true, dead: spool.dead() })
