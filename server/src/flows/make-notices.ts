import { newId } from '../core/ids.ts'
import { instantOfRow, instantOrNull } from '../core/period.ts'
import { findPlan } from '../modules/catalog/index.ts'
import { type CustomerRecord, findCustomer, findTransferById, listOwners } from '../modules/customers/index.ts'
import {
  definitionOf,
  insertNotices,
  isDecided,
  isMailAddress,
  moveCursor,
  type Names,
  type NoticeDraft,
  type NoticeRecord,
  noticesOf,
  takeCursor,
} from '../modules/notices/index.ts'
import { type Tx, transact } from '../platform/db.ts'
import { type OutboxRow, readEvents } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'

const eventsAtOnce = 200

/**
 * Makes the notices of the events after the cursor, in their order, and moves the cursor in the same transaction: each is
 * made once, whatever dies in between (DUN-2). Answers how many events were read; call again while that is not 0.
 */
export const makeNotices = (deps: Deps): Promise<number> =>
  transact(deps.db, async function readOn(tx) {
    const position = await takeCursor(tx)
    if (position === null) return 0
    const events = await readEvents(tx, position, eventsAtOnce, null)
    if (events.length === 0) return 0
    const customers = new Map<string, CustomerRecord | null>()
    const notices: NoticeRecord[] = []
    for (const event of events) {
      const drafts = draftsOf(deps, event).filter((draft) => !deps.notices.off.includes(draft.kind))
      if (drafts.length === 0) continue
      if (!customers.has(event.tenant_id)) customers.set(event.tenant_id, await findCustomer(tx, event.tenant_id))
      const customer = customers.get(event.tenant_id)
      if (!customer) continue
      for (const draft of drafts)
        notices.push(noticeOf(deps, event.event_id, draft, customer, await recipientsOf(tx, deps, draft.to, customer)))
    }
    await insertNotices(tx, notices)
    await moveCursor(tx, events.at(-1)!.position)
    return events.length
  })

const draftsOf = (deps: Deps, event: OutboxRow): NoticeDraft[] => {
  try {
    if (!isDecided(event.type)) throw new Error(`no rule says what ${event.type} tells customers`)
    return noticesOf({ type: event.type, at: instantOfRow(event.at).toString(), data: event.data }, namesOf(deps))
  } catch (error) {
    // One event that is not understood must not keep all others from being told.
    deps.log.error({ err: error, eventId: event.event_id, type: event.type }, 'an event made no notice')
    return []
  }
}

const namesOf = (deps: Pick<Deps, 'catalog'>): Names => ({
  feature: (key) => deps.catalog().file.features[key]?.name ?? key,
  plan: (key) => findPlan(deps.catalog(), key)?.content.name ?? key,
})

/** The row of a notice, written with the words of now. */
export const noticeOf = (
  deps: Pick<Deps, 'clock' | 'log' | 'notices'>,
  eventId: string,
  draft: NoticeDraft,
  customer: CustomerRecord,
  recipients: string[],
): NoticeRecord => {
  const definition = definitionOf(draft.kind)
  const at = deps.clock.now()
  const until = draft.until ? instantOrNull(draft.until) : null
  const notice: NoticeRecord = {
    tenantId: customer.tenantId,
    noticeId: newId('notice'),
    eventId,
    kind: draft.kind,
    topic: draft.topic ?? definition.topic,
    recipients,
    data: draft.data,
    subject: definition.when,
    text: null,
    html: null,
    link: null,
    state: deps.notices.mailer === null ? 'not_configured' : recipients.length === 0 ? 'skipped' : 'waiting',
    attempts: 0,
    copies: 0,
    createdAt: at,
    showUntil: until ?? at.add({ hours: 24 * definition.showDays }),
    dueAt: at,
    sentAt: null,
    lastError: recipients.length === 0 ? 'no_address' : null,
  }
  try {
    return { ...notice, ...deps.notices.templates.render(draft.kind, draft.data, customer.name) }
  } catch (error) {
    deps.log.error({ err: error, eventId, kind: draft.kind }, 'a notice could not be written')
    return { ...notice, state: 'failed', lastError: 'template_failed' }
  }
}

/** The addresses of a notice; none when nobody is known. Without owners the customer's own address stands for them. */
export const recipientsOf = async (
  tx: Tx,
  deps: Pick<Deps, 'notices'>,
  to: NoticeDraft['to'],
  customer: Pick<CustomerRecord, 'tenantId' | 'email'>,
): Promise<string[]> => {
  const billing = [customer.email ?? '']
  const found =
    typeof to === 'object'
      ? [(await findTransferById(tx, to.transferId))?.toEmail ?? '']
      : to === 'operators'
        ? deps.notices.operators
        : to === 'owners'
          ? (await listOwners(tx, customer.tenantId)).map((owner) => owner.email)
          : billing
  const usable = found.filter(isMailAddress)
  return usable.length === 0 && to === 'owners' ? billing.filter(isMailAddress) : [...new Set(usable)]
}
