import type { CatalogFacts } from '../../modules/catalog/index.ts'
import { countWithoutSubscription, groupLiveSubscriptions } from '../../modules/subscriptions/index.ts'
import type { Tx } from '../../platform/db.ts'

/** Who has which plan version now, for saying whom a catalog change affects (CAT-2). */
export const catalogFacts = async (tx: Tx): Promise<CatalogFacts> => ({
  subscriptions: await groupLiveSubscriptions(tx),
  onBaseline: await countWithoutSubscription(tx),
})
