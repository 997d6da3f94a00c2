import type { Export } from '@turnpike/contract'
import { fail } from '../../core/errors.ts'
import { createExport, exportLink, openExport } from '../../flows/change-export.ts'
import { type ExportRecord, listExports } from '../../modules/privacy/index.ts'
import type { Handlers, HttpDeps } from '../handler.ts'
import { owned } from './customers.ts'

const exportView = async (deps: HttpDeps, made: ExportRecord): Promise<Export> => ({
  id: made.exportId,
  tenantId: made.tenantId,
  requestedBy: made.requestedBy,
  createdAt: made.createdAt.toString(),
  expiresAt: made.expiresAt.toString(),
  downloadUrl: await exportLink(deps, made),
  downloads: made.downloads,
  lastDownloadedAt: made.lastDownloadedAt?.toString() ?? null,
})

// Each holds a connection and a view of the database for as long as it is fetched.
const atOnceMax = 2
let underWay = 0

export const privacyHandlers: Handlers<'createExport' | 'listExports' | 'downloadExport'> = {
  createExport: async (context) => {
    const { tenantId } = await owned(context)
    return exportView(context.deps, await createExport(context.deps, context.actor, tenantId))
  },

  listExports: async (context) => {
    const { tenantId } = await owned(context)
    const made = await listExports(context.deps.db, tenantId)
    return { data: await Promise.all(made.map((each) => exportView(context.deps, each))), cursor: null }
  },

  downloadExport: async ({ deps, params, requestId, reply }) => {
    if (underWay >= atOnceMax) throw fail('rate_limited')
    underWay++
    try {
      const { exportId, stream, ended } = await openExport(deps, params.token, requestId)
      const stop = () => stream.destroy()
      deps.stopping.addEventListener('abort', stop)
      void ended
        .catch((error: unknown) => deps.log.warn({ err: error, exportId }, 'an archive was not fetched to its end'))
        .finally(() => {
          underWay--
          deps.stopping.removeEventListener('abort', stop)
        })
      reply
        .header('content-type', 'application/zip')
        .header('content-disposition', `attachment; filename="turnpike-${exportId}.zip"`)
        .send(stream)
    } catch (error) {
      underWay--
      throw error
    }
  },
}
