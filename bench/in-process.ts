import { createChecker, createClient } from '@turnpike/client'
import { decideNow } from '../server/src/flows/check-entitlements.ts'
import { createLiveCustomers } from '../server/src/modules/entitlements/index.ts'
import type { Answer } from './support/report.ts'
import { inTurns, median } from './support/rounds.ts'
import type { Scale } from './support/scale.ts'
import { createCustomer, type World } from './support/world.ts'

const tenantId = 'near'

/** How long does one decision take in memory, in the service and in the library of the host product? */
export const measureInProcess = async (world: World, scale: Scale): Promise<Answer> => {
  await createCustomer(world.operator, tenantId)
  const live = await createLiveCustomers({ pool: world.sql }, 1).load(tenantId, Date.now())
  const at = Date.now()
  const metered = live!.byFeature.get('api_calls')!
  const boolean = live!.byFeature.get('api_access')!
  const checker = createChecker(createClient({ baseUrl: world.apiUrl, credential: world.serviceKey }), {
    policies: {},
    freshForMs: 600_000,
  })
  await checker.check(tenantId, 'api_calls')

  const batch = 20_000
  const perCall = async (call: () => unknown): Promise<number> => {
    const end = performance.now() + scale.roundMs / 3
    const times: number[] = []
    while (performance.now() < end) {
      const begin = performance.now()
      for (let i = 0; i < batch; i++) call()
      times.push(((performance.now() - begin) * 1e6) / batch)
    }
    return median(times)
  }
  const awaited = async (): Promise<number> => {
    const end = performance.now() + scale.roundMs / 3
    const times: number[] = []
    while (performance.now() < end) {
      const begin = performance.now()
      for (let i = 0; i < batch; i++) await checker.check(tenantId, 'api_calls')
      times.push(((performance.now() - begin) * 1e6) / batch)
    }
    return median(times)
  }
  const results = await inTurns(scale.rounds, {
    metered: () => perCall(() => decideNow(live!, metered, 1_000_000n, at)),
    boolean: () => perCall(() => decideNow(live!, boolean, 1_000_000n, at)),
    library: awaited,
  })
  return {
    question: 'Check in memory',
    measured: 'one call after the other in one process, the library awaited each time',
    limitedBy: 'making the answer object; the library gives one that was made when the service answered',
    figures: [
      { name: 'service: decide a metered feature', value: median(results.metered), unit: 'ns' },
      { name: 'service: decide a boolean feature', value: median(results.boolean), unit: 'ns' },
      { name: 'client library: fresh answer', value: median(results.library), unit: 'ns', aim: '< 500 ns' },
    ],
  }
}
