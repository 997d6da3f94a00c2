import type { UsagePeriod as UsagePeriodView } from '@turnpike/contract'
import { type ChargeLine, findFailures, findLinesOf, type UsagePeriod } from '../modules/periods/index.ts'
import type { Deps } from './deps.ts'

/** Usage periods as the API shows them, with their lines and where these are. */
export const usagePeriodViews = async (
  deps: Pick<Deps, 'db'>,
  periods: readonly UsagePeriod[],
): Promise<UsagePeriodView[]> => {
  const lines = await findLinesOf(deps.db, periods)
  const failures = await findFailures(
    deps.db,
    [...lines.values()].flat().flatMap(({ placingId, placedAt }) => (placingId && !placedAt ? [placingId] : [])),
  )
  return periods.map((period) => {
    const its = lines.get(period.periodId) ?? []
    const failed = its.find(({ placingId }) => placingId !== null && failures.has(placingId))
    return {
      id: period.periodId,
      tenantId: period.tenantId,
      subscriptionId: period.subscriptionId,
      state: period.state,
      period: { start: period.period.start.toString(), end: period.period.end.toString() },
      ratedAt: period.ratedAt?.toString() ?? null,
      lateUntil: period.lateUntil?.toString() ?? null,
      amount:
        its.length === 0
          ? null
          : {
              amountMinor: String(its.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)),
              currency: its[0]!.currency,
            },
      lines: its.map(lineView),
      failure: failed ? failures.get(failed.placingId!)! : null,
    }
  })
}

const lineView = (line: ChargeLine): UsagePeriodView['lines'][number] => ({
  id: line.lineId,
  charge: line.charge,
  name: line.name,
  kind: line.kind,
  quantity: line.quantity,
  amount: { amountMinor: String(line.amountMinor), currency: line.currency },
  state:
    line.placedAt !== null
      ? 'placed'
      : line.placingId !== null || line.creditNoteId !== null
        ? 'on_its_way'
        : line.amountMinor === 0n
          ? 'of_nothing'
          : 'waits_for_next',
  invoiceId: line.providerInvoiceId,
  creditNoteId: line.creditNoteId,
})
