import { expect, test } from 'vitest'
import { eventually } from '../support/world.ts'
import { flows } from './support/crash-flows.ts'
import { type Flow, openStage, play } from './support/crash-stage.ts'
import { findFaults } from './support/find-faults.ts'
import { isFull, seed } from './support/how-much.ts'

/** To look at one flow, or one place, alone. */
const only = process.env.CRASH_FLOW
const onlyAt = process.env.CRASH_PLACE
/** In every run of the tests one place in five, others with another seed. */
const every = 5

/**
 * Each operation is played once undisturbed, and every place is noted where a commit, a request to the provider or a mail
 * begins or ends. Then it is played again for each of these places, by another customer, and the service is killed there.
 * Each flow has a service, a database and a provider of its own, and mostly waits for them: two are played at a time.
 */
test.concurrent.each(
  flows.filter((flow) => only === undefined || flow.name === only).map((flow) => [flow.name, flow] as const),
)(
  'killed at every place it passes, %s comes out as if nothing had happened (INV-6, WEB-2)',
  async (_, flow: Flow) => {
    const stage = await openStage(flow.catalog)
    try {
      const tenant = (which: string) => `${flow.name.replaceAll(' ', '-')}-${which}`
      const expected = await play(stage, flow, tenant('undisturbed'), stage.watch)
      const all = await stage.places()
      expect(all.length).toBeGreaterThan(3)
      const places = all.filter((place, index) =>
        onlyAt === undefined ? isFull || index % every === seed % every : place.includes(onlyAt),
      )
      const different: string[] = []
      for (const [index, place] of places.entries()) {
        const outcome = await play(stage, flow, tenant(String(index)), () => stage.dieAt(place)).catch(
          (error: Error) => `${error.message}\n${stage.log().slice(-2_000)}`,
        )
        await stage.dieAt('')
        const found = difference(outcome, expected)
        if (found !== '') different.push(`${place}: ${found}`)
      }
      console.log(`${flow.name}: ${places.length} of ${all.length} places, died ${stage.deaths()} times`)
      expect(different).toEqual([])
      // Some places are only passed now and then; nearly all must have been met, or nothing was shown.
      expect(stage.deaths()).toBeGreaterThan(places.length * 0.6)
      // The last look at the provider may still be under way.
      await eventually(
        () => findFaults(stage.databaseUrl),
        (faults) => faults.length === 0,
      )
    } finally {
      await stage.close()
    }
  },
  1_800_000,
)

/** Only what is not the same, whatever the order in which it is named; nothing when all is: the rest of an outcome is long. */
const difference = (outcome: unknown, expected: unknown): string => {
  if (JSON.stringify(outcome) === JSON.stringify(expected)) return ''
  if (typeof outcome !== 'object' || typeof expected !== 'object' || !outcome || !expected)
    return `${JSON.stringify(outcome)} instead of ${JSON.stringify(expected)}`
  const [is, should] = [outcome as Record<string, unknown>, expected as Record<string, unknown>]
  return [...new Set([...Object.keys(is), ...Object.keys(should)])]
    .map((key) => [key, difference(is[key], should[key])] as const)
    .filter(([, found]) => found !== '')
    .map(([key, found]) => `${key}: ${found}`)
    .join('; ')
}
