import type { CloseProgress } from '@turnpike/contract'
import { readCloseFigures } from '../modules/periods/index.ts'
import { gauge, type Reading } from '../platform/telemetry.ts'
import type { Deps } from './deps.ts'
import { closeAfter } from './steps/close-policy.ts'

type CloseDeps = Pick<Deps, 'db' | 'clock' | 'catalog'>

const figures = (deps: CloseDeps) => readCloseFigures(deps.db, deps.clock.now().subtract(closeAfter(deps)))

/** How far the close of usage periods is (OPS-3). */
export const readCloseProgress = async (deps: CloseDeps): Promise<CloseProgress> => {
  const { open, due, oldestDue, waiting, failing, oldestWaiting } = await figures(deps)
  return {
    open,
    due,
    oldestDueAt: oldestDue?.toString() ?? null,
    placing: waiting,
    failing,
    oldestPlacingAt: oldestWaiting?.toString() ?? null,
    asOf: deps.clock.now().toString(),
  }
}

/** The same as metrics (OPS-1). Answers how to end each. */
export const closeGauges = (deps: CloseDeps): (() => void)[] => {
  const age = (since: Temporal.Instant | null): Reading[] => [
    { value: since ? deps.clock.now().since(since).total('seconds') : 0 },
  ]
  return [
    gauge('turnpike_usage_periods_due', 'Usage periods that are over and not rated', async () => [
      { value: (await figures(deps)).due },
    ]),
    gauge('turnpike_usage_periods_due_oldest_seconds', 'Time since the end of the oldest of them', async () =>
      age((await figures(deps)).oldestDue),
    ),
    gauge('turnpike_placings_waiting', 'Placings of lines on their way to an invoice, failed ones apart', async () => {
      const { waiting, failing } = await figures(deps)
      return [
        { value: waiting - failing, labels: { state: 'waiting' } },
        { value: failing, labels: { state: 'failing' } },
      ]
    }),
    gauge('turnpike_placings_oldest_seconds', 'Age of the placing that waits longest', async () =>
      age((await figures(deps)).oldestWaiting),
    ),
  ]
}
