import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { communicationPage } from './communication-page.ts'
import { dunningPage } from './dunning-page.ts'
import { reconciliationPage } from './reconciliation-page.ts'
import { transitionPage } from './transition-page.ts'

/** Writes the policy pages that are generated from rules, or with `--check` says which are stale and exits with 1. */
const policiesDir = fileURLToPath(new URL('../../docs/policies', import.meta.url))
const pages: Record<string, string> = {
  'customer-communication.md': communicationPage(),
  'dunning.md': dunningPage(),
  'reconciliation.md': reconciliationPage(),
  'status-transitions.md': transitionPage(),
}

const read = (file: string): string | null => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

const stale = Object.entries(pages).filter(([name, content]) => read(join(policiesDir, name)) !== content)
if (process.argv.includes('--check')) {
  for (const [name] of stale) console.error(`docs/policies/${name} is stale: run \`npm run generate\``)
  process.exitCode = stale.length > 0 ? 1 : 0
} else {
  for (const [name, content] of stale) writeFileSync(join(policiesDir, name), content)
  console.log(stale.length === 0 ? 'docs/policies is up to date' : `wrote ${stale.map(([name]) => name).join(', ')}`)
}
