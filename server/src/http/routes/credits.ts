import { fail } from '../../core/errors.ts'
import { instantOrNull } from '../../core/period.ts'
import { grantCredit, voidCredit } from '../../flows/change-credit.ts'
import { decideCredit } from '../../flows/decide-credit.ts'
import { creditsView, creditView, entryView, purchaseView } from '../../flows/steps/credit-views.ts'
import { purchaseBacks } from '../../flows/steps/take-back-credit.ts'
import { findCustomer } from '../../modules/customers/index.ts'
import {
  accountBalances,
  findGrantById,
  type GrantBalance,
  grantsWithBalance,
  listEntries,
  listGrants,
  waitingGrants,
} from '../../modules/ledger/index.ts'
import { listPurchases } from '../../modules/payments/index.ts'
import { readInOneView } from '../../platform/db.ts'
import { type Context, decodeCursor, encodeCursor, type Handlers, type HttpDeps } from '../handler.ts'
import { after, placeOf } from '../number-cursor.ts'

export const creditHandlers: Handlers<
  | 'getCredits'
  | 'listLedgerEntries'
  | 'listCreditGrants'
  | 'createCreditGrant'
  | 'listWaitingCreditGrants'
  | 'approveCreditGrant'
  | 'rejectCreditGrant'
  | 'voidCreditGrant'
  | 'listPurchases'
> = {
  getCredits: async ({ deps, tenantId }) => {
    await known(deps, tenantId)
    // Grants and accounts of one moment, so that they fit together.
    const [grants, accounts] = await readInOneView(deps.db, async (tx) => [
      await grantsWithBalance(tx, [tenantId]),
      await accountBalances(tx, tenantId),
    ])
    return creditsView(tenantId, grants, accounts, deps.clock.now())
  },

  listLedgerEntries: async ({ deps, tenantId, query }) => {
    await known(deps, tenantId)
    const limit = query.limit ?? 50
    const rows = await listEntries(deps.db, tenantId, {
      before: placeOf(query.cursor),
      grantId: query.grantId ?? null,
      limit,
    })
    return { data: rows.map(entryView), cursor: after(rows, limit, ({ number }) => number) }
  },

  listCreditGrants: async ({ deps, tenantId, query }) => {
    await known(deps, tenantId)
    const limit = query.limit ?? 50
    const grants = await listGrants(deps.db, tenantId, decodeCursor(query.cursor, isPlace), limit)
    const last = grants.at(-1)
    return {
      data: grants.map((grant) => creditView(grant, deps.clock.now())),
      cursor:
        grants.length === limit && last ? encodeCursor({ at: last.grantedAt.toString(), id: last.grantId }) : null,
    }
  },

  createCreditGrant: async ({ deps, actor, tenantId, body }) =>
    creditView(await grantCredit(deps, actor, tenantId, body), deps.clock.now()),

  listWaitingCreditGrants: async ({ deps }) =>
    (await waitingGrants(deps.db, deps.clock.now(), 200)).map((grant) => creditView(grant, deps.clock.now())),

  approveCreditGrant: (context) => decided(context, 'approved'),

  rejectCreditGrant: (context) => decided(context, 'rejected'),

  voidCreditGrant: async (context) => {
    const { deps, actor, body } = context
    const { tenantId, grantId } = await ownGrant(context)
    const asked = { tenantId, grantId, reason: body.reason, as: body.as ?? ('void' as const) }
    return creditView(await voidCredit(deps, actor, asked), deps.clock.now())
  },

  listPurchases: async ({ deps, tenantId, query }) => {
    await known(deps, tenantId)
    const limit = query.limit ?? 50
    const purchases = await listPurchases(deps.db, tenantId, decodeCursor(query.cursor, isPlace), limit)
    const last = purchases.at(-1)
    const back = await purchaseBacks(deps.db, tenantId, purchases)
    return {
      data: purchases.map((purchase) => purchaseView(purchase, back.get(purchase.purchaseId))),
      cursor:
        purchases.length === limit && last
          ? encodeCursor({ at: last.purchasedAt.toString(), id: last.purchaseId })
          : null,
    }
  },
}

const known = async (deps: HttpDeps, tenantId: string): Promise<void> => {
  if (!(await findCustomer(deps.db, tenantId))) throw fail('not_found')
}

const ownGrant = async ({
  deps,
  params,
  own,
}: Pick<Context<'voidCreditGrant'>, 'deps' | 'params' | 'own'>): Promise<GrantBalance> => {
  const grant = await findGrantById(deps.db, params.grantId)
  if (!grant) throw fail('not_found')
  await own(grant.tenantId)
  return grant
}

const decided = async (
  context: Context<'approveCreditGrant'> | Context<'rejectCreditGrant'>,
  decision: 'approved' | 'rejected',
) => {
  const { deps, actor, body } = context
  const { tenantId, grantId } = await ownGrant(context)
  const grant = await decideCredit(deps, actor, { tenantId, grantId, decision, reason: body.reason ?? null })
  return creditView(grant, deps.clock.now())
}

type Place = { at: string; id: string }
// Cursors come from outside: only what we could have written goes to the database.
const isPlace = (value: unknown): value is Place => {
  const { at, id } = (value ?? {}) as Partial<Place>
  return (
    typeof at === 'string' && instantOrNull(at) !== null && typeof id === 'string' && /^[a-z]+_[0-9a-z]{26}$/.test(id)
  )
}
