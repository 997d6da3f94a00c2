import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Demonstration } from '../src/demonstration.ts'
import { until } from './until.ts'

const root = join(import.meta.dirname, '../..')

export type Running = { child: ChildProcess; dataDir: string; text(): string }

/** Runs `npm start`'s program on free ports. `text()` is all it has said so far. */
export function npmStart(
  dataDir: string,
  environment: Record<string, string> = {},
  command: [string, ...string[]] = [process.execPath, 'local/src/start.ts'],
): Running {
  const { DATABASE_URL: _, STRIPE_SECRET_KEY: __, ...inherited } = process.env
  const child = spawn(command[0], command.slice(1), {
    cwd: root,
    env: { ...inherited, PORT: '0', SANDBOX_PORT: '0', TURNPIKE_DATA_DIR: dataDir, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part) => {
      text += part
    })
  }
  return { child, dataDir, text: () => text }
}

/** The first start of a clone builds the pages, which takes a while on a busy machine. */
export async function untilRunning({ child, dataDir, text }: Running): Promise<Demonstration> {
  await until(() => child.exitCode !== null || text().includes('Press Ctrl-C to stop'), 180)
  expect(child.exitCode, text()).toBeNull()
  return JSON.parse(readFileSync(join(dataDir, 'demo.json'), 'utf8'))
}

export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
  child.kill(signal)
  return exit
}
