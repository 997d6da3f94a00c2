import type { Readable } from 'node:stream'
import { fail } from '../core/errors.ts'
import { idFor } from '../core/ids.ts'
import { findCustomer, lockCustomer } from '../modules/customers/index.ts'
import { countDownload, type ExportRecord, findExport, insertExport } from '../modules/privacy/index.ts'
import { writeArchive } from '../platform/archive.ts'
import { type Actor, appendAudit } from '../platform/audit.ts'
import { readInOneView, transact } from '../platform/db.ts'
import { appendEvents } from '../platform/outbox.ts'
import type { Deps } from './deps.ts'

/** Notes that an archive was asked for, and until when its link works (PRV-1). */
export const createExport = (deps: Deps, actor: Actor, tenantId: string): Promise<ExportRecord> =>
  transact(deps.db, async (tx) => {
    const customer = await lockCustomer(tx, tenantId)
    if (!customer) throw fail('not_found')
    const exportId = idFor('export', actor.claim)
    // A repeat whose first answer was lost gets what the first has made.
    const known = actor.claim === undefined ? null : await findExport(tx, tenantId, exportId)
    if (known) return known
    const at = deps.clock.now()
    const days = deps.catalog().file.policies.privacy?.exportLinkDays ?? 7
    const made: ExportRecord = {
      tenantId,
      exportId,
      requestedBy: actor.id,
      createdAt: at,
      expiresAt: at.add({ hours: 24 * days }),
      downloads: 0,
      lastDownloadedAt: null,
    }
    await insertExport(tx, made)
    const expiresAt = made.expiresAt.toString()
    await appendAudit(tx, deps.clock, {
      tenantId,
      actor,
      action: 'export.create',
      object: made.exportId,
      after: { expiresAt },
    })
    await appendEvents(tx, deps.clock, customer, actor.requestId, [
      { type: 'export.created', data: { exportId: made.exportId, expiresAt } },
    ])
    return made
  })

/** The address of an archive: whoever has it can fetch it, until it expires. Null once it has. */
export const exportLink = async (deps: Deps, made: ExportRecord): Promise<string | null> =>
  Temporal.Instant.compare(deps.clock.now(), made.expiresAt) >= 0
    ? null
    : `${deps.publicUrl}/api/v1/exports/${await deps.seal.close('export-link', { exportId: made.exportId }, made.expiresAt)}`

const longestDownloadMs = 600_000

/**
 * Opens the archive behind a link (PRV-1). A link that was altered, has expired, or whose archive was erased is not there.
 * `ended` settles when the archive was fetched or broken off.
 */
export const openExport = async (
  deps: Deps,
  token: string,
  requestId: string,
): Promise<{ exportId: string; stream: Readable; ended: Promise<void> }> => {
  const at = deps.clock.now()
  const exportId = (await deps.seal.open('export-link', token, at))?.exportId
  if (typeof exportId !== 'string') throw fail('not_found')
  const made = await transact(deps.db, async (tx) => {
    const found = await countDownload(tx, exportId, at)
    if (!found) throw fail('not_found')
    const actor: Actor = { kind: 'anonymous', id: 'export link', requestId }
    await appendAudit(tx, deps.clock, {
      tenantId: found.tenantId,
      actor,
      action: 'export.download',
      object: exportId,
      after: { downloads: found.downloads },
    })
    return found
  })
  const opened = Promise.withResolvers<Readable>()
  const ended = readInOneView(deps.db, async (tx) => {
    const customer = await findCustomer(tx, made.tenantId)
    const archive = await writeArchive(tx, made.tenantId, customer?.customerId ?? '', at)
    const limit = setTimeout(() => archive.stream.destroy(new Error('took too long')), longestDownloadMs)
    opened.resolve(archive.stream)
    await archive.ended.finally(() => clearTimeout(limit))
  })
  ended.catch((error: unknown) => opened.reject(error))
  return { exportId, stream: await opened.promise, ended }
}
