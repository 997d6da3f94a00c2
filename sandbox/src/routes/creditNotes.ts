import type Stripe from 'stripe'
import { emitUpdate, snapshot } from '../events/emit.ts'
import { mergeMetadata, need, textOrNull, within } from '../objects/common.ts'
import { createCreditNote, voidCreditNote } from '../objects/creditNote.ts'
import type { Stored } from '../objects/types.ts'
import { rehearse, save, type Tx } from '../store/transact.ts'
import type { Endpoints } from '../wire/endpoints.ts'
import { page, pageOf } from '../wire/list.ts'

export const creditNoteRoutes: Endpoints = {
  'POST /v1/credit_notes': createCreditNote,
  'GET /v1/credit_notes': (tx: Tx, params: Stripe.CreditNoteListParams) =>
    page<Stored>(
      tx,
      '/v1/credit_notes',
      'credit_note',
      params,
      (note) =>
        (params.customer === undefined || note.customer === params.customer) &&
        (params.invoice === undefined || note.invoice === params.invoice) &&
        within(note.created ?? null, params.created),
    ),
  'GET /v1/credit_notes/preview': (tx: Tx, params: Stripe.CreditNotePreviewParams) =>
    rehearse(tx, () => ({ ...createCreditNote(tx, params as Stripe.CreditNoteCreateParams) })),
  'GET /v1/credit_notes/{id}': (tx: Tx, _params: unknown, id: string) => need<Stored>(tx, 'credit_note', id),
  'POST /v1/credit_notes/{id}': (tx: Tx, params: Stripe.CreditNoteUpdateParams, id: string) => {
    const note = need<Stored>(tx, 'credit_note', id)
    const before = snapshot(tx, note)
    if (params.memo !== undefined) note.memo = textOrNull(params.memo)
    note.metadata = mergeMetadata(note.metadata ?? {}, params.metadata)
    save(tx, note)
    emitUpdate(tx, 'credit_note.updated', note, before)
    return note
  },
  'POST /v1/credit_notes/{id}/void': (tx: Tx, _params: unknown, id: string) => voidCreditNote(tx, id),
  'GET /v1/credit_notes/{id}/lines': (tx: Tx, params: Stripe.CreditNoteListLineItemsParams, id: string) =>
    pageOf(
      tx,
      `/v1/credit_notes/${id}/lines`,
      (need<Stored>(tx, 'credit_note', id).lines as { data: Stored[] }).data,
      params,
    ),
}
