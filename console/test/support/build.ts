import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Builds the console as it is now into a folder of its own, so that no test looks at yesterday's pages. */
export async function buildConsole(): Promise<{ folder: string; remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'turnpike-console-'))
  const root = join(import.meta.dirname, '../../..')
  await promisify(execFile)(
    process.execPath,
    [join(root, 'node_modules/vite/bin/vite.js'), 'build', 'console', '--outDir', folder, '--emptyOutDir'],
    // Vitest's own NODE_ENV would build the development version of React.
    { cwd: root, env: { ...process.env, NODE_ENV: 'production' } },
  )
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
