import type { Role } from '@turnpike/contract'
import { canonicalJson } from '../core/canonical.ts'
import { fail } from '../core/errors.ts'
import { idFor } from '../core/ids.ts'
import { lockCustomer } from '../modules/customers/index.ts'
import { findInvoice } from '../modules/invoices/index.ts'
import type { MoneyBackReason } from '../modules/payments/index.ts'
import {
  boundsOf,
  decideMoneyBack,
  findMoneyBack,
  findMoneyBackOfInvoice,
  isAboveWhatIsThere,
  type MoneyBackRecord,
  type MoneyBackWish,
  saveMoneyBack,
  termsOf,
} from '../modules/refunds/index.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import { transact } from '../platform/db.ts'
import { appendEvents } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'
import { isSilence } from './steps/ask-command.ts'
import { moneyBackEvent } from './steps/money-back-views.ts'
import { sendMoneyBack } from './steps/send-money-back.ts'
import { syncTenant } from './sync-customer.ts'

/** How long a request waits for somebody to decide. */
const requestDays = 7

export type MoneyBackRequest = {
  wish: MoneyBackWish
  reason: MoneyBackReason
  reasonText: string
  idempotencyKey: string
}

/**
 * Gives money back, or asks a second person for it where policy wants one (INV-4): on what the provider says now, decided by
 * the rules, held against what was paid by the database itself, saved with its audit, and only then sent. A repeat with the
 * same key finds the first one, however late.
 */
export const askMoneyBack = async (
  deps: Deps,
  actor: Actor,
  role: Role,
  subject: { tenantId: string; providerInvoiceId: string },
  request: MoneyBackRequest,
): Promise<MoneyBackRecord> => {
  const moneyBackId = idFor(
    request.wish.kind,
    `${subject.tenantId} ${subject.providerInvoiceId} ${request.idempotencyKey}`,
  )
  if (!(await findMoneyBack(deps.db, moneyBackId))) await lookFirst(deps, actor, subject)
  const saved = await hold(deps, actor, role, subject, request, moneyBackId).catch((error: unknown) => {
    if (isAboveWhatIsThere(error)) throw fail('refund_too_much', { cause: error })
    throw error
  })
  return saved.state === 'asking' ? sendMoneyBack(deps, actor, saved) : saved
}

/** A refund that somebody made at the provider a moment ago counts too. While it is silent, what is known has to do. */
const lookFirst = async (
  deps: Deps,
  actor: Actor,
  { tenantId, providerInvoiceId }: { tenantId: string; providerInvoiceId: string },
): Promise<void> => {
  try {
    await syncTenant(deps, tenantId, actor, {
      providerInvoiceIds: [providerInvoiceId],
      moneyBack: { providerIds: [], ofInvoices: [providerInvoiceId] },
    })
  } catch (error) {
    if (!isSilence(error)) throw error
  }
}

const hold = (
  deps: Deps,
  actor: Actor,
  role: Role,
  { tenantId, providerInvoiceId }: { tenantId: string; providerInvoiceId: string },
  { wish, reason, reasonText }: MoneyBackRequest,
  moneyBackId: string,
): Promise<MoneyBackRecord> =>
  transact(deps.db, async (tx) => {
    const customer = await lockCustomer(tx, tenantId)
    const invoice = await findInvoice(tx, tenantId, providerInvoiceId)
    if (!customer || !invoice) throw fail('not_found')
    const made = await findMoneyBack(tx, moneyBackId)
    if (made) {
      if (!isSame(made, wish, reason, reasonText)) throw fail('idempotency_key_reused')
      return made
    }
    const at = deps.clock.now()
    const policy = deps.catalog().file.policies.refunds
    const given = await findMoneyBackOfInvoice(tx, tenantId, providerInvoiceId)
    const terms = termsOf(invoice, given, policy?.withinDays, at)
    const decision = decideMoneyBack(invoice, given, terms, boundsOf(policy, role, invoice.currency), wish)
    if (!decision.ok) throw fail(decision.code, { extra: decision.extra })
    const { waits, ...plan } = decision.plan
    const record: MoneyBackRecord = {
      ...plan,
      tenantId,
      moneyBackId,
      kind: wish.kind,
      provider: invoice.provider,
      providerInvoiceId,
      providerId: null,
      state: waits ? 'waiting_for_approval' : 'asking',
      currency: invoice.currency,
      refunded: 0n,
      number: null,
      pdfUrl: null,
      askedHere: true,
      reason,
      reasonText,
      actor: { id: actor.id, kind: actor.kind },
      requestedAt: at,
      requestExpiresAt: waits ? at.add({ hours: 24 * requestDays }) : null,
      decidedBy: null,
      decidedAt: null,
      decisionReason: null,
      attempts: 0,
      askedAt: null,
      settledAt: null,
      failure: null,
    }
    await saveMoneyBack(tx, record, at)
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: waits ? `${wish.kind}.request` : `${wish.kind}.create`,
      object: moneyBackId,
      after: {
        invoice: providerInvoiceId,
        amount: String(record.amount),
        currency: record.currency,
        to: record.target,
        reason,
        expiresAt: record.requestExpiresAt?.toString() ?? null,
      },
      reason: reasonText,
    })
    if (waits) await appendEvents(tx, deps.clock, customer, actor.requestId, [moneyBackEvent(record, 'requested')])
    return record
  })

const isSame = (made: MoneyBackRecord, wish: MoneyBackWish, reason: string, reasonText: string): boolean => {
  const text = (value: unknown): string =>
    canonicalJson(JSON.parse(JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each))))
  const asked =
    wish.kind === 'refund'
      ? { amount: wish.amount, lines: [], to: null }
      : { amount: wish.amount ?? made.amount, lines: wish.lines, to: wish.to }
  return (
    text({ ...asked, reason, reasonText }) ===
    text({ amount: made.amount, lines: made.lines, to: made.target, reason: made.reason, reasonText: made.reasonText })
  )
}
