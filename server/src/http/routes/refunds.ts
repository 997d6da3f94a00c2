import type { CreditNote, Refund } from '@turnpike/contract'
import { fail } from '../../core/errors.ts'
import { askMoneyBack, type MoneyBackRequest } from '../../flows/ask-money-back.ts'
import { decideMoneyBackRequest } from '../../flows/decide-money-back.ts'
import { creditNoteView, forCustomer, refundView } from '../../flows/steps/money-back-views.ts'
import { findInvoiceById, type InvoiceRecord } from '../../modules/invoices/index.ts'
import {
  boundsOf,
  findMoneyBack,
  findMoneyBackOfInvoice,
  listMoneyBack,
  type MoneyBackRecord,
  termsOf,
} from '../../modules/refunds/index.ts'
import type { Context, Handlers } from '../handler.ts'
import { behind, placeInTime } from '../time-cursor.ts'

const invoiceOf = async ({
  deps,
  params,
  own,
}: Pick<Context<'createRefund'>, 'deps' | 'params' | 'own'>): Promise<InvoiceRecord> => {
  const invoice = await findInvoiceById(deps.db, params.invoiceId)
  await own(invoice?.tenantId)
  if (!invoice) throw fail('not_found')
  return invoice
}

/** What is agreed to and not done, or not agreed to yet, is answered with 202. */
const answer = <V extends Refund | CreditNote>(context: Pick<Context<'createRefund'>, 'reply'>, view: V): V => {
  if (view.state === 'waiting_for_approval' || view.state === 'asking') context.reply.status(202)
  return view
}

const ask = async (context: Context<'createRefund'> | Context<'createCreditNote'>, wish: MoneyBackRequest['wish']) => {
  const { deps, actor, credential, body } = context
  const { tenantId, providerInvoiceId } = await invoiceOf(context)
  const { reason, reasonText, idempotencyKey } = body
  return askMoneyBack(
    deps,
    actor,
    credential.role,
    { tenantId, providerInvoiceId },
    { wish, reason, reasonText, idempotencyKey },
  )
}

const decide = async (
  {
    deps,
    actor,
    credential,
    body,
    own,
  }: Pick<Context<'approveRefund'>, 'deps' | 'actor' | 'credential' | 'body' | 'own'>,
  kind: MoneyBackRecord['kind'],
  moneyBackId: string,
  decision: 'approved' | 'rejected',
): Promise<MoneyBackRecord> => {
  const record = await findMoneyBack(deps.db, moneyBackId)
  await own(record?.kind === kind ? record.tenantId : undefined)
  if (record?.kind !== kind) throw fail('not_found')
  const { tenantId } = record
  return decideMoneyBackRequest(deps, actor, credential.role, {
    ...{ moneyBackId, tenantId, decision, reason: body.reason ?? null },
  })
}

const list = async (
  {
    deps,
    tenantId,
    query,
  }: Pick<Context<'listRefunds'>, 'deps' | 'tenantId'> & {
    query: Context<'listRefunds'>['query'] | Context<'listCreditNotes'>['query']
  },
  kind: MoneyBackRecord['kind'],
) => {
  const limit = query.limit ?? 50
  const rows = await listMoneyBack(deps.db, {
    kind,
    tenantId,
    providerInvoiceId: query.invoiceId ?? null,
    state: query.state ?? null,
    after: placeInTime(query.cursor),
    limit,
  })
  return {
    rows,
    cursor: behind(rows, limit, (row) => ({ at: row.requestedAt.toString(), id: row.moneyBackId })),
  }
}

export const refundHandlers: Handlers<
  | 'getRefundTerms'
  | 'createRefund'
  | 'createCreditNote'
  | 'listRefunds'
  | 'getRefund'
  | 'listCreditNotes'
  | 'approveRefund'
  | 'rejectRefund'
  | 'approveCreditNote'
  | 'rejectCreditNote'
> = {
  getRefundTerms: async (context) => {
    const { deps, credential } = context
    const invoice = await invoiceOf(context)
    const policy = deps.catalog().file.policies.refunds
    const given = await findMoneyBackOfInvoice(deps.db, invoice.tenantId, invoice.providerInvoiceId)
    const terms = termsOf(invoice, given, policy?.withinDays, deps.clock.now())
    const bounds = boundsOf(policy, credential.role, invoice.currency)
    const money = (amount: bigint) => ({ amountMinor: String(amount), currency: invoice.currency })
    const bound = ({ available, blocked }: { available: bigint; blocked: string | null }) => ({
      available: money(available),
      blocked,
    })
    return {
      invoiceId: invoice.providerInvoiceId,
      paid: money(invoice.amountPaid),
      givenBack: money(terms.givenBack),
      refund: bound(terms.refund),
      creditOwed: bound(terms.creditOwed),
      creditPaid: bound(terms.creditPaid),
      max: bounds.max === null ? null : money(bounds.max),
      secondPersonAbove: bounds.secondPersonAbove === null ? null : money(bounds.secondPersonAbove),
      until: terms.until?.toString() ?? null,
    }
  },

  createRefund: async (context) =>
    answer(context, refundView(await ask(context, { kind: 'refund', amount: BigInt(context.body.amountMinor) }))),

  createCreditNote: async (context) => {
    const { amountMinor, lines = [], to = null } = context.body
    if ((amountMinor === undefined) === (lines.length === 0))
      throw fail('invalid_request', {
        errors: [{ field: 'body.amountMinor', message: 'Either an amount or lines.' }],
      })
    return answer(
      context,
      creditNoteView(
        await ask(context, {
          kind: 'credit_note',
          amount: amountMinor === undefined ? null : BigInt(amountMinor),
          lines: lines.map((line) => ({ providerLineId: line.lineId, amount: BigInt(line.amountMinor) })),
          to,
        }),
      ),
    )
  },

  listRefunds: async (context) => {
    const { rows, cursor } = await list(context, 'refund')
    const isHouse = context.credential.tenantId === null
    return { data: rows.map(refundView).map((view) => (isHouse ? view : forCustomer(view))), cursor }
  },

  getRefund: async ({ deps, params, own, credential }) => {
    const record = await findMoneyBack(deps.db, params.refundId)
    const refund = record?.kind === 'refund' ? record : null
    await own(refund?.tenantId)
    if (!refund) throw fail('not_found')
    return credential.tenantId === null ? refundView(refund) : forCustomer(refundView(refund))
  },

  listCreditNotes: async (context) => {
    const { rows, cursor } = await list(context, 'credit_note')
    const isHouse = context.credential.tenantId === null
    return { data: rows.map(creditNoteView).map((view) => (isHouse ? view : forCustomer(view))), cursor }
  },

  approveRefund: async (context) => refundView(await decide(context, 'refund', context.params.refundId, 'approved')),
  rejectRefund: async (context) => refundView(await decide(context, 'refund', context.params.refundId, 'rejected')),
  approveCreditNote: async (context) =>
    creditNoteView(await decide(context, 'credit_note', context.params.creditNoteId, 'approved')),
  rejectCreditNote: async (context) =>
    creditNoteView(await decide(context, 'credit_note', context.params.creditNoteId, 'rejected')),
}
