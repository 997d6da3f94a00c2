import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export type Program = {
  name: string
  /** Settles with a sentence for people when the program has ended. */
  ended: Promise<string>
  /** Asks it to stop, and makes it stop when it has not done so after `patienceMs`. A repeat is fine. */
  stop(patienceMs: number): Promise<void>
}

/**
 * Runs one of our programs beside this process, its output in a log file. It has its own process group, so that the
 * terminal's Ctrl-C reaches only us and the order of stopping stays ours; and it stops when this process is gone.
 */
export function startProgram(options: { name: string; file: string; log: string; env: NodeJS.ProcessEnv }): Program {
  mkdirSync(dirname(options.log), { recursive: true, mode: 0o700 })
  const output = openSync(options.log, 'w', 0o600)
  const child = spawn(process.execPath, ['--import', import.meta.resolve('./end-with-parent.ts'), options.file], {
    env: options.env,
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
  })
  closeSync(output)
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`${options.name} could not be run: ${error.message}`))
    child.once('exit', (code, signal) => {
      const words = lastWords(options.log)
      resolve(
        `${options.name} ended (${signal ?? `exit code ${code}`}).${words && ` Its last words, from ${options.log}:\n${words}`}`,
      )
    })
  })
  return {
    name: options.name,
    ended,
    async stop(patienceMs) {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
      child.kill('SIGTERM')
      const timer = new AbortController()
      const patience = delay(patienceMs, undefined, { signal: timer.signal }).then(
        () => child.kill('SIGKILL'),
        () => {},
      )
      await ended
      timer.abort()
      await patience
    },
  }
}

function lastWords(log: string): string {
  return readFileSync(log, 'utf8').trim().split('\n').slice(-15).join('\n').slice(-3_000)
}
