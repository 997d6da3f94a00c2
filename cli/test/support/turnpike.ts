import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export type Outcome = { code: number | null; out: string; error: string }
/** `environment`: besides the path. `onOutput` hears all that was written so far, and may end it as Ctrl-C does. */
type Around = {
  environment: Record<string, string>
  cwd?: string
  onOutput?: (out: string, end: () => void) => void
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** The command line as a process of its own, as a person runs it. */
export const runTurnpike = (words: readonly string[], { environment, cwd, onOutput }: Around): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...words], { cwd, env: { PATH: process.env.PATH, ...environment } })
    const outcome: Outcome = { code: null, out: '', error: '' }
    child.stdout.on('data', (chunk: Buffer) => {
      outcome.out += chunk
      onOutput?.(outcome.out, () => child.kill('SIGINT'))
    })
    child.stderr.on('data', (chunk: Buffer) => {
      outcome.error += chunk
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ ...outcome, code }))
  })
