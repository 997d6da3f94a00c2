import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import yazl from 'yazl'
import type { Tx } from './db.ts'
import { allowPauses, exportLines, exportTables, schemaVersion } from './export-rows.ts'

/**
 * A customer's rows as a ZIP archive that is written while it is read (PRV-1): a file of JSON lines per table, and last a
 * manifest with counts and sums. `tx` is one unchanging view, so that the files fit together. Answers the stream and a
 * promise that ends with it, however it ends: until then the view must stay open.
 */
export const writeArchive = async (
  tx: Tx,
  tenantId: string,
  customerId: string,
  at: Temporal.Instant,
): Promise<{ stream: Readable; ended: Promise<void> }> => {
  await allowPauses(tx)
  const tables = await exportTables(tx)
  const version = await schemaVersion(tx)
  const zip = new yazl.ZipFile()
  const stream = zip.outputStream as Readable
  const options = { compress: true, mtime: new Date(at.epochMilliseconds) }
  const written: { file: string; rows: number; sha256: string }[] = []
  const fail = (error: Error) => stream.destroy(error)
  zip.on('error', fail)

  for (const table of tables) {
    const file = `${table.file}.ndjson`
    const lines = async function* () {
      const sum = createHash('sha256')
      let rows = 0
      for await (const page of exportLines(tx, table, tenantId, () => stream.destroyed)) {
        sum.update(page.text)
        rows += page.rows
        yield page.text
      }
      written.push({ file, rows, sha256: sum.digest('hex') })
    }
    zip.addReadStreamLazy(file, options, (give) => give(null, Readable.from(lines()).on('error', fail)))
  }
  zip.addReadStreamLazy('manifest.json', options, (give) =>
    give(
      null,
      Readable.from([
        JSON.stringify(
          {
            format: 'turnpike-export-1',
            schemaVersion: version,
            tenantId,
            customerId,
            madeAt: at.toString(),
            files: written,
          },
          null,
          2,
        ),
      ]),
    ),
  )
  zip.end()
  const ended = new Promise<void>((resolve, reject) => {
    stream.on('end', resolve)
    stream.on('error', reject)
    stream.on('close', () => reject(new Error('whoever fetched the archive has gone')))
  })
  return { stream, ended }
}
