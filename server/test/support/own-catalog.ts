import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Document, parseDocument } from 'yaml'

/** The example's catalog with changes, in a file of its own, for stories that need another. */
export const ownCatalog = (change: (catalog: Document) => void): { file: string; remove(): void } => {
  const folder = mkdtempSync(join(tmpdir(), 'turnpike-catalog-'))
  const catalog = parseDocument(readFileSync('catalog/acme.yaml', 'utf8'))
  change(catalog)
  const file = join(folder, 'catalog.yaml')
  writeFileSync(file, String(catalog))
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
