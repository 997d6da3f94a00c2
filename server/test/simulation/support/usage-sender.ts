import { createClient } from '@turnpike/client'
import pg from 'pg'
import { operatorKey } from '../../support/world.ts'
import { withHands } from './webhook-sender.ts'

/** Reports usage without pause, each report under its key until it is answered; tells what was answered as counted. */
export const startUsage = async (url: string, tenantIds: readonly string[]) => {
  const key = await serviceKey(url)
  const counted = new Map<string, number>(tenantIds.map((tenantId) => [tenantId, 0]))
  let stopped = false
  let answers = 0
  const refusals = new Set<string>()
  const report = async (tenantId: string, number: number): Promise<void> => {
    const quantity = number % 3 === 0 ? 2 : 1
    const body = JSON.stringify({ tenantId, meter: 'api_calls', quantity, idempotencyKey: `${tenantId}-${number}` })
    for (;;) {
      const answer = await fetch(`${url}/api/v1/usage-records`, {
        method: 'POST',
        body,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      })
        .then(async (response) => {
          const text = await response.text()
          if (response.ok) return (JSON.parse(text) as { data: UsageAnswer }).data
          refusals.add(`${response.status} ${(JSON.parse(text) as { code?: string }).code}`)
          return null
        })
        .catch(() => null)
      if (answer) {
        const [outcome] = answer.outcomes
        if (outcome?.status !== 'accepted' && outcome?.status !== 'duplicate') throw new Error(JSON.stringify(answer))
        counted.set(tenantId, counted.get(tenantId)! + quantity)
        answers++
        return
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  // Stays below the limit of the free plan, so that each report is counted.
  const reports = Array.from({ length: 700 * tenantIds.length }, (_, index) => ({
    tenantId: tenantIds[index % tenantIds.length]!,
    number: Math.floor(index / tenantIds.length),
  }))
  const running = withHands(4, reports, async ({ tenantId, number }) => {
    if (!stopped) await report(tenantId, number)
  })
  return {
    /** How many reports were answered so far. */
    answers: () => answers,
    /** Answers other than 2xx, each kind once. */
    refusals,
    stop: async () => {
      stopped = true
      await running
      return new Map([...counted].filter(([, quantity]) => quantity > 0))
    },
  }
}

type UsageAnswer = { outcomes: { status: string }[] }

/** A key that may report and check for every tenant. */
export const serviceKey = async (url: string): Promise<string> =>
  (
    await createClient({ baseUrl: url, credential: operatorKey }).createApiKey({
      body: { name: 'simulation', role: 'service', tenantId: null },
    })
  ).data.key

/** What the database has counted for each tenant that reported something. */
export const countedIn = async (databaseUrl: string): Promise<Map<string, number>> => {
  const client = new pg.Client(databaseUrl)
  client.on('error', () => {})
  await client.connect()
  try {
    const { rows } = await client.query<{ tenant_id: string; used: number }>(
      `select tenant_id, sum(used)::int as used from usage_counters where span = 'period' group by tenant_id`,
    )
    return new Map(rows.map((row) => [row.tenant_id, row.used]))
  } finally {
    await client.end()
  }
}
