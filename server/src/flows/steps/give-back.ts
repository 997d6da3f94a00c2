import { idFor } from '../../core/ids.ts'
import { findInvoice } from '../../modules/invoices/index.ts'
import {
  billedOnInvoice,
  leaveCreditNote,
  markCredited,
  type NewLine,
  splitBack,
  type UsagePeriod,
} from '../../modules/periods/index.ts'
import {
  creditableBy,
  decideMoneyBack,
  findMoneyBackOfInvoice,
  isOver,
  type MoneyBackRecord,
  saveMoneyBack,
  termsOf,
} from '../../modules/refunds/index.ts'
import { type Actor, appendAudit } from '../../platform/audit.ts'
import type { Tx } from '../../platform/db.ts'
import type { Deps } from '../deps.ts'
import { lateUsage } from './close-policy.ts'

type Made = Omit<NewLine, 'placingId' | 'creditNoteId' | 'createdAt'>

const reasonText = 'Usage was corrected after it was billed'

/**
 * What a correction gives back of a period that was invoiced, on a credit note of that invoice where policy wants it (USE-5):
 * its intent is saved with the lines, so a close that is repeated finds no difference and asks for none twice; the sweep of
 * money back sends it. What the invoice does not hold waits for the next one. The policy is the decision of the house: caps
 * and second persons are for people. The caller holds the customer's row.
 */
export const giveBack = async (
  tx: Tx,
  deps: Pick<Deps, 'clock' | 'catalog'>,
  period: UsagePeriod,
  made: readonly Made[],
  round: number,
  actor: Actor,
): Promise<(Made & { creditNoteId: string | null })[]> => {
  const waits = made.map((line) => ({ ...line, creditNoteId: null }))
  const sum = made.reduce((total, { amountMinor }) => total + amountMinor, 0n)
  if (sum >= 0n || period.state === 'open' || lateUsage(deps) === 'next_invoice') return waits
  const { tenantId, periodId } = period
  const billed = await billedOnInvoice(tx, tenantId, periodId)
  const invoice = billed && (await findInvoice(tx, tenantId, billed.providerInvoiceId))
  if (!billed || !invoice || invoice.currency !== made[0]!.currency) return waits
  const at = deps.clock.now()
  const given = await findMoneyBackOfInvoice(tx, tenantId, invoice.providerInvoiceId)
  const terms = termsOf(invoice, given, deps.catalog().file.policies.refunds?.withinDays, at)
  const { amount, credited, waiting } = splitBack(made, creditableBy(invoice, terms, billed.amountMinor))
  if (amount === 0n) return waits
  const to = invoice.status === 'open' ? null : 'balance'
  const decision = decideMoneyBack(
    invoice,
    given,
    terms,
    { max: null, secondPersonAbove: null },
    { kind: 'credit_note', amount, lines: [], to },
  )
  if (!decision.ok) return waits
  const { waits: _, ...plan } = decision.plan
  const creditNoteId = idFor('credit_note', `${periodId} ${round}`)
  const record: MoneyBackRecord = {
    ...plan,
    ...{ tenantId, moneyBackId: creditNoteId, kind: 'credit_note', provider: invoice.provider, state: 'asking' },
    ...{ providerInvoiceId: invoice.providerInvoiceId, providerId: null, currency: invoice.currency, refunded: 0n },
    ...{ number: null, pdfUrl: null, askedHere: true, reason: 'order_change', reasonText },
    ...{ actor: { id: actor.id, kind: actor.kind }, requestedAt: at, requestExpiresAt: null },
    ...{ decidedBy: null, decidedAt: null, decisionReason: null, attempts: 0, askedAt: null, settledAt: null },
    failure: null,
  }
  await saveMoneyBack(tx, record, at)
  await appendAudit(tx, deps.clock, {
    tenantId,
    actor,
    action: 'credit_note.create',
    object: creditNoteId,
    after: {
      ...{ invoice: invoice.providerInvoiceId, period: periodId, amount: String(amount), currency: invoice.currency },
      ...{ to, reason: record.reason, waitsMinor: String(-sum - amount) },
    },
    reason: reasonText,
  })
  return [
    ...credited.map((line) => ({ ...line, creditNoteId })),
    ...waiting.map((line) => ({ ...line, creditNoteId: null })),
  ]
}

/**
 * What becomes of a credit note becomes of its lines: they are placed when it is issued, and wait for the next invoice when it
 * came to nothing, also when somebody voids it later. The caller holds the customer's row.
 */
export const followCreditNoteOfUsage = async (
  tx: Tx,
  deps: Pick<Deps, 'clock'>,
  note: MoneyBackRecord,
  actor: Actor,
): Promise<void> => {
  if (note.kind !== 'credit_note' || !note.askedHere) return
  const { tenantId, moneyBackId } = note
  const tell = (action: string, lines: number, reason: string | null) =>
    appendAudit(tx, deps.clock, { tenantId, actor, action, object: moneyBackId, after: { lines }, reason })
  if (isOver(note)) {
    const lines = await leaveCreditNote(tx, tenantId, moneyBackId)
    if (lines > 0) await tell('charge_lines.carried', lines, 'they wait for the next invoice')
  } else if (note.state === 'issued') {
    const lines = await markCredited(tx, tenantId, moneyBackId, deps.clock.now())
    if (lines > 0) await tell('charge_lines.credited', lines, null)
  }
}
