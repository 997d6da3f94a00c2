import { randomUUID } from 'node:crypto'
import type { LoadResult } from './support/load.ts'
import type { Answer } from './support/report.ts'
import { inTurns, median, ratioOf } from './support/rounds.ts'
import type { Scale } from './support/scale.ts'
import { type World, webhookSecret } from './support/world.ts'

const connections = 64

/** How many signed webhooks a second are stored before they are acknowledged, beside one bare insert each? */
export const measureWebhooks = async (world: World, scale: Scale): Promise<Answer> => {
  const send = (port: number, path: string) => (): Promise<LoadResult> =>
    world.load.run({
      port,
      path,
      headers: {},
      connections,
      traffic: { kind: 'webhooks', secret: webhookSecret, run: randomUUID().slice(0, 8) },
      warmupMs: 150,
      durationMs: scale.roundMs,
    })
  const results = await inTurns(scale.rounds, {
    bare: send(world.baselinePort, '/insert'),
    intake: send(world.apiPort, '/api/v1/billing/webhooks/stripe'),
  })
  const rates = (of: LoadResult[]) => of.map((result) => result.perSecond)
  const latency = (of: LoadResult[]) => ({
    p50Ms: median(of.map((result) => result.p50Ms)),
    p99Ms: median(of.map((result) => result.p99Ms)),
  })
  return {
    question: 'Webhook intake: verified and stored before it is acknowledged',
    measured: `signed events of 2.3 kB at ${connections} connections, in turns with a Fastify route that reads the same body and inserts one row over a pool of the same size`,
    limitedBy:
      'the flush of each commit, which those who arrive together share, then checking the signature and reading the body; the inbox is drained meanwhile, of a provider that nobody answers for',
    figures: [
      {
        name: 'bare insert per request',
        value: median(rates(results.bare)),
        unit: 'requests/s',
        ...latency(results.bare),
      },
      {
        name: 'intake',
        value: median(rates(results.intake)),
        unit: 'webhooks/s',
        ratio: ratioOf(rates(results.intake), rates(results.bare)),
        against: 'the bare insert',
        aim: 'ratio ≥ 0.8',
        ...latency(results.intake),
      },
    ],
  }
}
