import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Client, createClient } from '@turnpike/client'
import type { Command } from 'commander'
import { toJson } from './print.ts'
import { UsageError } from './usage-error.ts'

/** The process around a command: tests give their own. */
export type Surroundings = {
  environment: Record<string, string | undefined>
  folder: string
  write(text: string): void
  writeError(text: string): void
  /** Ends commands that would go on for ever. */
  signal: AbortSignal
}

/** What a command works with. */
export type Session = {
  client(): Client
  /** Prints the answer: as JSON when asked for, otherwise as lines for people. */
  show(answer: unknown, lines: (string | string[])[]): void
  /** One line of an answer that goes on. */
  line(answer: unknown, text: string): void
  json(): boolean
  /** The answer is no: a script can tell by the exit code. */
  no(): void
  readText(file: string): string
  pathOf(file: string): string
  signal: AbortSignal
}

export const createSession = (program: Command, surroundings: Surroundings, no: () => void): Session => {
  const { environment, folder, write, signal } = surroundings
  const json = () => program.opts<{ json?: boolean }>().json === true
  const pathOf = (file: string) => resolve(folder, file)
  return {
    client: () =>
      createClient({
        ...whereAndWho(program.opts<{ server?: string }>().server, environment, folder),
        timeoutMs: 120_000,
      }),
    show: (answer, lines) =>
      write(
        json()
          ? `${toJson(answer)}\n`
          : lines
              .flat()
              .map((line) => `${line}\n`)
              .join(''),
      ),
    line: (answer, text) => write(`${json() ? JSON.stringify(answer) : text}\n`),
    json,
    no,
    pathOf,
    readText: (file) => {
      try {
        return readFileSync(pathOf(file), 'utf8')
      } catch (error) {
        throw new UsageError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}.`)
      }
    },
    signal,
  }
}

type Demonstration = { apiUrl?: string; operatorKey?: string }

const whereAndWho = (
  option: string | undefined,
  environment: Surroundings['environment'],
  folder: string,
): { baseUrl: string; credential: string } => {
  const demonstration = readDemonstration(join(folder, environment.TURNPIKE_DATA_DIR || '.turnpike', 'demo.json'))
  const baseUrl = option || environment.TURNPIKE_URL || demonstration.apiUrl || 'http://127.0.0.1:4000'
  if (!URL.canParse(baseUrl))
    throw new UsageError(`"${baseUrl}" is no address: write http://127.0.0.1:4000, for example.`)
  const credential = environment.TURNPIKE_KEY || demonstrationKey(demonstration, baseUrl)
  if (!credential)
    throw new UsageError(
      `No key for ${baseUrl}: set TURNPIKE_KEY to an API key, or start the demonstration with "npm start".`,
    )
  return { baseUrl, credential }
}

// The demonstration's key is only for its own service: it must not be sent to whatever address was given.
const demonstrationKey = ({ apiUrl, operatorKey }: Demonstration, baseUrl: string): string | undefined =>
  apiUrl && sameServer(apiUrl, baseUrl) ? operatorKey : undefined

const sameServer = (a: string, b: string): boolean => {
  const [one, two] = [a, b].map((address) => new URL(address.replace('//localhost', '//127.0.0.1')).origin)
  return one === two
}

const readDemonstration = (file: string): Demonstration => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Demonstration
  } catch {
    return {}
  }
}
