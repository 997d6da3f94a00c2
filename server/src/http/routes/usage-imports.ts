import { type UsageImport, UsageRecord as UsageRecordSchema } from '@turnpike/contract'
import { fail } from '../../core/errors.ts'
import { createUsageImport, takeImportChunk } from '../../flows/import-usage.ts'
import { findCustomer } from '../../modules/customers/index.ts'
import { findImport, type ImportRecord, listImports } from '../../modules/imports/index.ts'
import { fieldErrors } from '../field-errors.ts'
import { type Context, decodeCursor, encodeCursor, type Handlers } from '../handler.ts'
import { compileSchema } from '../validate.ts'

const fitsRecord = compileSchema(UsageRecordSchema)
const mistakeOf = (record: unknown): string | null =>
  fitsRecord(record)
    ? null
    : fieldErrors(fitsRecord.errors ?? [], 'record')
        .map((error) => `${error.field} ${error.message}`)
        .join('; ')

const importView = (record: ImportRecord): UsageImport => ({
  id: record.importId,
  tenantId: record.tenantId,
  name: record.name,
  format: record.format,
  size: record.size,
  sha256: record.sha256,
  state: record.state,
  offset: record.place,
  lines: record.lines,
  accepted: record.accepted,
  duplicates: record.duplicates,
  invalid: record.invalid,
  mistakes: record.mistakes,
  createdBy: record.createdBy,
  createdAt: record.createdAt.toString(),
  updatedAt: record.updatedAt.toString(),
  finishedAt: record.finishedAt?.toString() ?? null,
})

const ownImport = async ({
  deps,
  params,
  own,
}: Pick<Context<'getUsageImport'>, 'deps' | 'params' | 'own'>): Promise<ImportRecord> => {
  const record = await findImport(deps.db, params.importId)
  await own(record && (record.tenantId ?? ''))
  if (!record) throw fail('not_found')
  return record
}

const isId = (value: unknown): value is string => typeof value === 'string' && /^import_[0-9a-z]{26}$/.test(value)

export const usageImportHandlers: Handlers<
  'createUsageImport' | 'sendUsageImport' | 'getUsageImport' | 'listUsageImports'
> = {
  createUsageImport: async ({ deps, actor, tenantId, body }) => {
    // Another tenant than one that is known has no usage.
    if (tenantId !== null && !(await findCustomer(deps.db, tenantId))) throw fail('not_found')
    return importView(await createUsageImport(deps, actor, tenantId, body))
  },

  sendUsageImport: async (context) =>
    importView(await takeImportChunk(context.deps, context.actor, await ownImport(context), context.body, mistakeOf)),

  getUsageImport: async (context) => importView(await ownImport(context)),

  listUsageImports: async ({ deps, tenantId, query }) => {
    const limit = query.limit ?? 50
    const rows = await listImports(deps.db, tenantId, decodeCursor(query.cursor, isId), limit)
    return {
      data: rows.map(importView),
      cursor: rows.length === limit ? encodeCursor(rows.at(-1)!.importId) : null,
    }
  },
}
