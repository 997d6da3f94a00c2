import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { communicationPage } from './communication-page.ts'
import { dunningPage } from './dunning-page.ts'
import { priceModelsPage } from './price-models-page.ts'
import { reconciliationPage } from './reconciliation-page.ts'
import { transitionPage } from './transition-page.ts'

/** Writes the pages that are generated from rules, or with `--check` says which are stale and exits with 1. */
const docsDir = fileURLToPath(new URL('../../docs', import.meta.url))
const pages: Record<string, string> = {
  'policies/customer-communication.md': communicationPage(),
  'policies/dunning.md': dunningPage(),
  'policies/reconciliation.md': reconciliationPage(),
  'policies/status-transitions.md': transitionPage(),
  'reference/price-models.md': priceModelsPage(),
}

const read = (file: string): string | null => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

const stale = Object.entries(pages).filter(([name, content]) => read(join(docsDir, name)) !== content)
if (process.argv.includes('--check')) {
  for (const [name] of stale) console.error(`docs/${name} is stale: run \`npm run generate\``)
  process.exitCode = stale.length > 0 ? 1 : 0
} else {
  for (const [name, content] of stale) writeFileSync(join(docsDir, name), content)
  console.log(stale.length === 0 ? 'generated pages are up to date' : `wrote ${stale.map(([name]) => name).join(', ')}`)
}
