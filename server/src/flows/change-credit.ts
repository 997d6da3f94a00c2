import type { CreditGrantCreate } from '@turnpike/contract'
import { fail } from '../core/errors.ts'
import { idFor } from '../core/ids.ts'
import { instantOrNull, isBefore } from '../core/period.ts'
import { lockCustomer } from '../modules/customers/index.ts'
import {
  creditBreach,
  creditNeedsSecondPerson,
  findGrantById,
  type GrantBalance,
  type GrantRecord,
  hasEnded,
  insertGrant,
  post,
  refundableOf,
  refundPosting,
  saveGrant,
  voidPosting,
} from '../modules/ledger/index.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import { appendEvents } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { creditView } from './steps/credit-views.ts'
import { giveCredit } from './steps/give-credit.ts'

/** How long a request for credit waits for somebody to decide. */
const requestDays = 7
// Far above every invoice, and far below where sums of them would not fit a column.
const mostMinor = 1_000_000_000_000n

/**
 * Grants credit (INV-3, INV-4): usable at once, until it is burnt, ends or is taken back. Where policy wants a second person
 * it waits for one, and nothing can be burnt of it.
 */
export const grantCredit = (
  deps: Deps,
  actor: Actor,
  tenantId: string,
  request: CreditGrantCreate,
): Promise<GrantBalance> =>
  transact(deps.db, async function grantCreditOnce(tx) {
    const customer = await lockCustomer(tx, tenantId)
    if (!customer) throw fail('not_found')
    const grantId = idFor('grant', actor.claim)
    // A repeat whose first answer was lost gets what the first has made.
    const made = actor.claim === undefined ? null : await findGrantById(tx, grantId)
    if (made) return made
    const at = deps.clock.now()
    const wish = readWish(deps, request, at)
    const policy = deps.catalog().file.policies.credits
    const breach = creditBreach(policy, wish, at)
    if (breach) throw fail('credit_invalid', { errors: [breach] })
    const waits = creditNeedsSecondPerson(policy, wish)
    const grant: GrantRecord = {
      ...wish,
      tenantId,
      grantId,
      state: waits ? 'waiting_for_approval' : 'active',
      priority: request.priority ?? 50,
      charges: request.charges ?? null,
      grantedAt: at,
      reason: request.reason,
      grantedBy: actor.id,
      checkoutId: null,
      requestExpiresAt: waits ? at.add({ hours: 24 * requestDays }) : null,
      decidedBy: null,
      decidedAt: null,
      decisionReason: null,
      voidedAt: null,
    }
    await insertGrant(tx, grant)
    if (!grant.requestExpiresAt) {
      const given = await giveCredit(tx, deps, grant, actor)
      await appendEvents(tx, deps.clock, customer, actor.requestId, [
        { type: 'credit.granted', data: { grant: creditView(given, at) } },
      ])
      return given
    }
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: 'credit.request',
      object: grantId,
      after: { amountMinor: String(grant.amountMinor), currency: grant.currency, category: grant.category },
      reason: grant.reason,
    })
    const asked = { ...grant, leftMinor: 0n }
    await appendEvents(tx, deps.clock, customer, actor.requestId, [
      {
        type: 'credit.requested',
        data: { grant: creditView(asked, at), requestExpiresAt: grant.requestExpiresAt.toString() },
      },
    ])
    return asked
  })

type Wish = Pick<GrantRecord, 'category' | 'currency' | 'amountMinor' | 'paidMinor' | 'expiresAt'>

const readWish = (deps: Pick<Deps, 'catalog'>, request: CreditGrantCreate, at: Temporal.Instant): Wish => {
  const refuse = (field: string, message: string) => fail('credit_invalid', { errors: [{ field, message }] })
  const category = request.category ?? 'promotional'
  const { currency } = request.amount
  const { currencies } = deps.catalog().file
  if (!currencies.includes(currency)) throw refuse('amount.currency', `The catalog has ${currencies.join(', ')}.`)
  const amountMinor = BigInt(request.amount.amountMinor)
  if (amountMinor <= 0n || amountMinor > mostMinor)
    throw refuse('amount.amountMinor', `An amount is from 1 to ${mostMinor} minor units.`)
  if (request.paid && (category !== 'paid' || request.paid.currency !== currency))
    throw refuse('paid', 'Only paid credit has a cost, in its own currency.')
  const paidMinor =
    category === 'promotional' ? 0n : request.paid === undefined ? amountMinor : BigInt(request.paid.amountMinor)
  if (paidMinor < 0n || paidMinor > mostMinor) throw refuse('paid.amountMinor', 'A cost is not below zero.')
  const expiresAt = request.expiresAt ? instantOrNull(request.expiresAt) : null
  if (request.expiresAt && expiresAt === null) throw refuse('expiresAt', 'The year is not from 1 to 9999.')
  if (expiresAt && !isBefore(at, expiresAt)) throw refuse('expiresAt', 'The end lies in the past.')
  return { category, currency, amountMinor, paidMinor, expiresAt }
}

/** Takes back what is left of a grant, or a request for one; a second time changes nothing. */
export const voidCredit = (
  deps: Deps,
  actor: Actor,
  asked: { tenantId: string; grantId: string; reason: string; as: 'void' | 'refund' },
): Promise<GrantBalance> =>
  transact(deps.db, async function voidCreditOnce(tx) {
    const customer = await lockCustomer(tx, asked.tenantId)
    const grant = await findGrantById(tx, asked.grantId)
    if (!customer || grant?.tenantId !== asked.tenantId) throw fail('not_found')
    if (grant.voidedAt) return grant
    const at = deps.clock.now()
    const waits = grant.state === 'waiting_for_approval'
    if (!waits && (grant.state !== 'active' || grant.leftMinor === 0n || hasEnded(grant, at)))
      throw fail('credit_used_up')
    const by = { actor: actor.id, at, reason: asked.reason }
    if (!waits) await post(tx, [asked.as === 'refund' ? refundPosting(grant, by) : voidPosting(grant, by)], at)
    await saveGrant(tx, { ...grant, voidedAt: at })
    const money = (amountMinor: bigint) => ({ amountMinor: String(amountMinor), currency: grant.currency })
    const toRefund = asked.as === 'refund' ? refundableOf(grant, at) : 0n
    await appendAudit(tx, deps.clock, {
      tenantId: grant.tenantId,
      actor,
      action: 'credit.void',
      object: grant.grantId,
      before: { leftMinor: String(grant.leftMinor), currency: grant.currency },
      after: { leftMinor: '0', toRefundMinor: String(toRefund) },
      reason: asked.reason,
    })
    const after: GrantBalance = { ...grant, voidedAt: at, leftMinor: 0n }
    await appendEvents(tx, deps.clock, customer, actor.requestId, [
      {
        type: 'credit.voided',
        data: {
          grant: creditView(after, at),
          amount: money(grant.leftMinor),
          toRefund: money(toRefund),
          reason: asked.reason,
        },
      },
    ])
    return after
  })
