import { execFile } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Builds the console when it was never built, or when one of its sources is newer than the last build. */
export async function ensureConsoleBuilt(root: string, signal: AbortSignal): Promise<void> {
  const built = join(root, 'console/dist/index.html')
  const sources = [
    'console/index.html',
    'console/vite.config.ts',
    'console/public',
    'console/src',
    'client/src',
    'contract/src',
  ].map((path) => join(root, path))
  if (!existsSync(sources[0]!)) return
  if (existsSync(built) && Math.max(...sources.map(newestChange)) <= statSync(built).mtimeMs) return
  console.log('Building the console (once) …')
  const vite = join(root, 'node_modules/.bin/vite')
  try {
    await promisify(execFile)(vite, ['build', 'console', '--logLevel', 'warn'], { cwd: root, signal })
  } catch (error) {
    signal.throwIfAborted()
    throw new Error(`The console could not be built: ${(error as { stderr?: string }).stderr || error}`)
  }
}

function newestChange(path: string): number {
  if (!existsSync(path)) return 0
  const own = statSync(path)
  if (!own.isDirectory()) return own.mtimeMs
  return Math.max(own.mtimeMs, ...readdirSync(path).map((name) => newestChange(join(path, name))))
}
