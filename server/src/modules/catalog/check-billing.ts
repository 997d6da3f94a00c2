import type { CatalogPlanBilling } from '@turnpike/contract'
import { checkAmounts, checkOrder } from './check-amounts.ts'
import type { Draft } from './draft.ts'
import type { Path } from './read-yaml.ts'

/** Least and most of a plan's usage prices together, and its settings. */
export const checkBilling = (draft: Draft, plan: string, currencies: readonly string[] | undefined): void => {
  const path = ['plans', plan, 'billing']
  const names = draft.names(...path)
  const prices = draft.names('plans', plan, 'usagePrices')
  for (const kind of ['minimum', 'commitment', 'maximum'] as const) {
    if (!names.includes(kind)) continue
    if (prices.length === 0)
      draft.report([...path, kind], `A ${kind} is of usage prices, and plan "${plan}" has none.`, 'key')
    checkAmounts(draft, [...path, kind, 'amounts'], currencies)
    draft
      .sound<NonNullable<CatalogPlanBilling['minimum']>['charges']>(...path, kind, 'charges')
      ?.forEach((key, index) => {
        if (!prices.includes(key))
          draft.report([...path, kind, 'charges', index], `Plan "${plan}" has no usage price "${key}".`, 'value')
      })
  }
  if (names.includes('minimum') && names.includes('commitment'))
    draft.report([...path, 'commitment'], 'A commitment stands instead of a minimum: one of the two.', 'key')
  checkOrder(draft, [...path, 'minimum', 'amounts'], [...path, 'maximum', 'amounts'])
  if (names.includes('trial') && draft.names('plans', plan, 'trial').length === 0)
    draft.report([...path, 'trial'], `Plan "${plan}" has no trial.`, 'key')
  checkSettings(draft, [...path, 'settings'])
}

export const checkBillingPolicy = (draft: Draft): void => checkSettings(draft, ['policies', 'billing', 'settings'])

/** Only the currencies that are named have an amount. */
const checkSettings = (draft: Draft, path: Path) => {
  for (const name of ['minimumCharges', 'chargeSteps']) checkAmounts(draft, [...path, name], [])
}
