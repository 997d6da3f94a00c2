import type { PlanOffer } from '@turnpike/contract'
import { fail } from '../core/errors.ts'
import { findPlan, intervalOf, intervalText, usagePriceWords } from '../modules/catalog/index.ts'
import { findCustomer } from '../modules/customers/index.ts'
import { findSubscriptions, leadingSubscription } from '../modules/subscriptions/index.ts'
import type { Deps } from './deps.ts'
import { grantSentence, relationOf } from './steps/views.ts'

/**
 * The plans on offer in the customer's currency, lowest rank first, each with how it stands to the one held. A plan that is
 * not offered any more is there for who holds it: its seats and add-ons may still change.
 */
export const readPlans = async (deps: Deps, tenantId: string): Promise<PlanOffer[]> => {
  const [customer, subscriptions] = await Promise.all([
    findCustomer(deps.db, tenantId),
    findSubscriptions(deps.db, tenantId),
  ])
  if (!customer) throw fail('not_found')
  const catalog = deps.catalog()
  const leading = leadingSubscription(subscriptions, catalog.file.policies.access)
  const held = leading && {
    plan: leading.plan,
    price: leading.price,
    rank: catalog.file.plans[leading.plan]?.rank ?? 0,
    pendingPlan: leading.pendingChange?.to?.plan ?? null,
  }
  const currency = leading?.currency ?? customer.currency
  return Object.entries(catalog.file.plans)
    .filter(([key, plan]) => plan.status === 'active' || key === leading?.plan)
    .sort(([, a], [, b]) => a.rank - b.rank)
    .map(([key, plan]) => {
      const free = Object.keys(plan.prices ?? {}).length === 0
      const relation = (price: string | null) => relationOf(held, { plan: key, price, rank: plan.rank, free })
      return {
        plan: key,
        version: findPlan(catalog, key)?.version ?? 1,
        name: plan.name,
        description: plan.description ?? '',
        model: plan.model,
        rank: plan.rank,
        trialDays: plan.trial?.days ?? 0,
        prices: Object.entries(plan.prices ?? {}).flatMap(([price, definition]) => {
          const amountMinor = definition.amounts[currency]
          return amountMinor === undefined
            ? []
            : [
                {
                  price,
                  interval: intervalText(intervalOf(definition)),
                  amount: { amountMinor: String(amountMinor), currency },
                  perSeat: moneyOrNull(plan.seats?.perSeat?.[price]?.[currency], currency),
                  relation: relation(price),
                },
              ]
        }),
        seats: plan.seats ? { included: plan.seats.included, max: plan.seats.max ?? null } : null,
        usagePrices: Object.entries(plan.usagePrices ?? {}).map(([price, definition]) => ({
          price,
          name: definition.name ?? catalog.file.meters[definition.meter ?? price]?.name ?? price,
          sentence: usagePriceWords(definition, price, catalog.file.meters, currency),
        })),
        addOns: Object.entries(catalog.file.addOns ?? {})
          .filter(([, addOn]) => addOn.status === 'active' && addOn.plans.includes(key))
          .map(([addOn, definition]) => ({
            addOn,
            name: definition.name,
            prices: Object.entries(definition.prices).flatMap(([price, { amounts }]) => {
              const amount = moneyOrNull(amounts[currency], currency)
              return amount && plan.prices?.[price] ? [{ price, amount }] : []
            }),
          })),
        features: Object.entries(catalog.file.features).map(([feature, definition]) => {
          const grant = plan.grants[feature]
          return {
            feature,
            name: definition.name,
            kind: definition.kind,
            included: grant !== undefined && grant !== false,
            sentence: grantSentence(catalog, feature, grant),
          }
        }),
        relation: relation(null),
      }
    })
}

const moneyOrNull = (amountMinor: number | undefined, currency: string) =>
  amountMinor === undefined ? null : { amountMinor: String(amountMinor), currency }
