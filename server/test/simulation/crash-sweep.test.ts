import { afterAll, beforeAll, expect, test } from 'vitest'
import { flows } from './support/crash-flows.ts'
import { type Flow, openStage, play } from './support/crash-stage.ts'
import { findFaults } from './support/find-faults.ts'
import { isFull, seed } from './support/how-much.ts'

let stage: Awaited<ReturnType<typeof openStage>>
beforeAll(async () => {
  stage = await openStage()
}, 120_000)
afterAll(() => stage?.close())

const only = process.env.CRASH_FLOW
/** In every run of the tests one place in three, another third with another seed. */
const every = 3

/**
 * Each operation is played once undisturbed, and every place is noted where a commit, a request to the provider or a mail
 * begins or ends. Then it is played again for each of these places, by another customer, and the service is killed there.
 */
test.each(flows.filter((flow) => only === undefined || flow.name === only).map((flow) => [flow.name, flow] as const))(
  'killed at every place it passes, %s comes out as if nothing had happened (INV-6, WEB-2)',
  async (_, flow: Flow) => {
    const tenant = (which: string) => `${flow.name.replaceAll(' ', '-')}-${which}`
    const expected = await play(stage, flow, tenant('undisturbed'), stage.watch)
    const all = await stage.places()
    expect(all.length).toBeGreaterThan(3)
    const places = all.filter((_, index) => isFull || index % every === seed % every)
    const before = stage.deaths()
    const different: string[] = []
    for (const [index, place] of places.entries()) {
      const outcome = await play(stage, flow, tenant(String(index)), () => stage.dieAt(place)).catch(
        (error: Error) => `${error.message}\n${stage.log().slice(-2_000)}`,
      )
      await stage.dieAt('')
      if (JSON.stringify(outcome) !== JSON.stringify(expected))
        different.push(`${place}: ${JSON.stringify(outcome)} instead of ${JSON.stringify(expected)}`)
    }
    expect(different).toEqual([])
    // Some places are only passed now and then; nearly all must have been met, or nothing was shown.
    expect(stage.deaths() - before).toBeGreaterThan(places.length * 0.7)
    console.log(`${flow.name}: ${places.length} places, died ${stage.deaths() - before} times`)
  },
  1_800_000,
)

test('and nothing of it all is doubled, lost or left lying', async () => {
  expect(await findFaults(stage.databaseUrl)).toEqual([])
})
