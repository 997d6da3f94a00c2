import type { InvoiceExplanation } from '@turnpike/contract'
import { amountText } from '../core/currency.ts'
import { type Catalog, findPlan, resolveLookupKey } from '../modules/catalog/index.ts'
import type { InvoiceRecord } from '../modules/invoices/index.ts'
import { type ChargeLine, findCreditedLines, findLines } from '../modules/periods/index.ts'
import { findMoneyBackOfInvoice } from '../modules/refunds/index.ts'
import type { Deps } from './deps.ts'
import { calculatedView } from './steps/calculated-view.ts'

type Line = InvoiceExplanation['lines'][number]

/**
 * From an invoice's total to its lines, the calculation of each that is ours, and the records behind it. What does not add
 * up is said: nothing is explained away.
 */
export const explainInvoice = async (
  deps: Pick<Deps, 'db' | 'catalog'>,
  invoice: InvoiceRecord,
): Promise<InvoiceExplanation> => {
  const { tenantId, providerInvoiceId, currency } = invoice
  const ours = new Map((await findLines(deps.db, tenantId, { providerInvoiceId })).map((line) => [line.lineId, line]))
  const money = (amount: bigint) => ({ amountMinor: String(amount), currency })
  const text = (amount: bigint) => amountText(amount, currency)
  const remarks: string[] = []
  const lines = invoice.lines.map((line): Line => {
    const known = line.lineId === null ? null : (ours.get(line.lineId) ?? null)
    if (line.lineId !== null && !known)
      remarks.push(`The line ${line.providerLineId} carries our mark and is not known here.`)
    if (known && known.amountMinor !== line.amount)
      remarks.push(
        `The line ${line.providerLineId} is ${text(line.amount)} on the invoice and ${text(known.amountMinor)} here.`,
      )
    return {
      id: line.providerLineId,
      description: line.description,
      amount: money(line.amount),
      ...(known ? ofUsage(known) : ofProvider(deps.catalog(), line)),
      usage: known && {
        lineId: known.lineId,
        periodId: known.periodId,
        ...calculatedView(deps.catalog(), tenantId, known),
      },
    }
  })
  const shown = new Set(invoice.lines.map(({ lineId }) => lineId))
  for (const line of ours.values())
    if (!shown.has(line.lineId))
      remarks.push(`${line.name} (${text(line.amountMinor)}) was put on this invoice and is not on its mirror yet.`)
  const parts = invoice.lines.reduce((sum, { amount }) => sum + amount, 0n) - invoice.discount
  // A tax that is included in the prices is in the lines already.
  const unexplained = invoice.total === parts ? 0n : invoice.total - parts - invoice.tax
  if (unexplained !== 0n) remarks.push(`${text(unexplained)} of the total is explained by no line, discount or tax.`)
  return {
    invoiceId: providerInvoiceId,
    tenantId,
    status: invoice.status,
    lines,
    creditNotes: await creditNotesOf(deps, invoice),
    subtotal: money(invoice.subtotal),
    discount: money(invoice.discount),
    tax: money(invoice.tax),
    total: money(invoice.total),
    unexplained: money(unexplained),
    remarks,
  }
}

/** The credit notes that gave usage of this invoice back, with the lines that they are made of. */
const creditNotesOf = async (
  deps: Pick<Deps, 'db' | 'catalog'>,
  { tenantId, providerInvoiceId }: InvoiceRecord,
): Promise<InvoiceExplanation['creditNotes']> => {
  const given = await findMoneyBackOfInvoice(deps.db, tenantId, providerInvoiceId)
  const notes = given.filter(({ kind }) => kind === 'credit_note')
  if (notes.length === 0) return []
  const lines = await findCreditedLines(
    deps.db,
    tenantId,
    notes.map(({ moneyBackId }) => moneyBackId),
  )
  const of = Map.groupBy(lines, ({ creditNoteId }) => creditNoteId)
  return notes.flatMap(({ moneyBackId, state, amount, currency }) => {
    const its = of.get(moneyBackId)
    if (!its) return []
    return [
      {
        creditNoteId: moneyBackId,
        state,
        amount: { amountMinor: String(amount), currency },
        lines: its.map((line) => ({
          lineId: line.lineId,
          periodId: line.periodId,
          ...calculatedView(deps.catalog(), tenantId, line),
        })),
      },
    ]
  })
}

const ofUsage = (line: ChargeLine): Pick<Line, 'as' | 'text'> => {
  const span = `${line.period.start} to ${line.period.end}`
  if (line.kind === 'credit') return { as: 'credit', text: 'Prepaid credit that was used up' }
  if (line.kind === 'rest')
    return { as: 'usage', text: 'Usage that is too little to collect goes with the next invoice' }
  if (line.kind === 'late_usage')
    return {
      as: 'later_usage',
      text: `What was reported or corrected after ${span} was billed: the difference that it makes`,
    }
  return { as: 'usage', text: `${line.name} used from ${span}` }
}

const ofProvider = (catalog: Catalog, line: InvoiceRecord['lines'][number]): Pick<Line, 'as' | 'text'> => {
  const ref = line.lookupKey === null ? null : (resolveLookupKey(catalog, line.lookupKey)?.ref ?? null)
  const what = ref === null ? null : nameOf(catalog, ref)
  if (line.proration)
    return {
      as: 'proration',
      text: `${line.amount < 0n ? 'The unused rest of what was paid' : 'The rest of the period'}${what === null ? '' : ` of ${what}`}, to the second`,
    }
  switch (ref?.kind) {
    case 'plan':
      return { as: 'base_price', text: `The base price of ${what}` }
    case 'seat':
      return { as: 'seats', text: `Seats of ${what} above those included` }
    case 'add_on':
      return { as: 'add_on', text: `${what}, on top of the plan` }
    case 'product':
      return { as: 'product', text: `${what}, bought once` }
    default:
      return { as: 'other', text: 'Billed by the payment provider; its price is not in the catalog' }
  }
}

const nameOf = (catalog: Catalog, ref: NonNullable<ReturnType<typeof resolveLookupKey>>['ref']): string => {
  switch (ref.kind) {
    case 'plan':
    case 'seat':
      return findPlan(catalog, ref.plan)?.content.name ?? ref.plan
    case 'add_on':
      return catalog.file.addOns?.[ref.addOn]?.name ?? ref.addOn
    case 'product':
      return catalog.file.products?.[ref.product]?.name ?? ref.product
  }
}
