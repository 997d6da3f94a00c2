import { emit } from '../events/emit.ts'
import type { TestClock } from '../objects/types.ts'
import { load, save, transact } from '../store/transact.ts'
import { clockNow, type World } from '../world.ts'
import { tick } from './tick.ts'

/**
 * Moves the sandbox's own clock forward and does everything that falls due on the way, in time order. Webhooks of one
 * moment are sent before the next moment comes, so that a listener can still act in between. Whoever follows the clock
 * comes to a moment before anything happens in it, and has done what came of it before the next.
 */
export async function advanceClock(world: World, to: number): Promise<void> {
  while (world.clock.advancing) await world.clock.advancing
  const from = clockNow(world)
  world.clock.pinned = from
  let acted = false
  const heard = async (): Promise<boolean> => {
    const news = acted
    acted = false
    return news && world.followers.moved()
  }
  const reach = async (at: number): Promise<boolean> => {
    if (at === world.clock.pinned) {
      acted = true
      return false
    }
    if (await heard()) return true
    world.clock.pinned = at
    keepOffset(world, at)
    return world.followers.moved()
  }
  const work = async (): Promise<void> => {
    do await runDue(world, '', to, reach)
    while (await heard())
  }
  world.clock.advancing = work()
  try {
    await world.clock.advancing
    keepOffset(world, Math.max(to, from))
  } finally {
    world.clock.pinned = null
    world.clock.advancing = null
  }
  world.delivering.wake()
  // What followers did now is told as well before this is over.
  if (await world.followers.moved()) await world.delivering.settled(2000)
}

// Kept at each moment, so that a process that ends on the way does not come back before what it has done.
function keepOffset(world: World, at: number): void {
  world.clock.offset = Math.max(at - Math.floor(Date.now() / 1000), world.followers.told())
  world.store.setMeta('clock_offset', String(world.clock.offset))
}

/** By how many seconds the clock is ahead of the real one; while it stands still this becomes less. */
export function clockAhead(world: World): number {
  return world.clock.pinned === null ? world.clock.offset : world.clock.pinned - Math.floor(Date.now() / 1000)
}

/** Moves a test clock; its state is `advancing` until all that fell due is done. */
export async function advanceTestClock(world: World, id: string, to: number): Promise<void> {
  await runDue(world, id, to, async (at) => {
    transact(world, null, (tx) => {
      const clock = load<TestClock>(tx, id)
      clock.frozen_time = Math.max(clock.frozen_time, at)
      save(tx, clock)
    })
    return false
  })
  transact(world, null, (tx) => {
    const clock = load<TestClock>(tx, id)
    clock.frozen_time = to
    clock.status = 'ready'
    clock.status_details = {}
    tx.now = to
    save(tx, clock)
    emit(tx, 'test_helpers.test_clock.ready', clock)
  })
}

/** What fell due by itself while nobody moved the clock. */
export async function runPresent(world: World): Promise<void> {
  if (world.clock.advancing) return
  await runDue(world, '', clockNow(world), async () => false)
}

/** `reach` answers whether others have acted meanwhile: then something else may be due. */
async function runDue(
  world: World,
  clock: string,
  until: number,
  reach: (at: number) => Promise<boolean>,
): Promise<void> {
  let repeats = 0
  let last = ''
  for (let next = world.store.nextDue(clock, until); next; next = world.store.nextDue(clock, until)) {
    const { id, due } = next
    if (await reach(Math.max(due, clock === '' ? clockNow(world) : due))) continue
    const key = `${id} ${due}`
    repeats = key === last ? repeats + 1 : 0
    last = key
    if (repeats > 20) throw new Error(`${id} stays due at ${due}`)
    transact(world, null, (tx) => {
      if (clock !== '') tx.now = due
      tick(tx, id)
    })
    await world.delivering.settled(2000)
  }
}

/** Test clocks that were on their way when the process ended go on. */
export function resumeClocks(world: World): void {
  for (const body of world.store.list('test_helpers.test_clock')) {
    const clock = JSON.parse(body) as TestClock
    if (clock.status !== 'advancing') continue
    const { target_frozen_time: target } = clock.status_details.advancing as { target_frozen_time: number }
    advanceTestClock(world, clock.id, target).catch((error) => world.app.log.error(error))
  }
}
