// The service with a clock that can be moved and a place at which it kills itself: started by the crash sweep as a process
// of its own, told over the channel to its parent what to do.
import { flushCompileCache } from 'node:module'
import { relative } from 'node:path'
import { startApp } from '../../../src/app.ts'
import { readConfig } from '../../../src/config.ts'
import { movableClock } from '../../../src/platform/clock.ts'
import { onFaultPoint } from '../../../src/platform/fault-points.ts'
import { createLog } from '../../../src/platform/log.ts'

export type Order =
  | { do: 'watch' }
  | { do: 'report' }
  | { do: 'die_at'; place: string }
  | { do: 'advance'; aheadMs: number }
export type Answer = { done: Order['do']; places: string[] }

let passed: string[] | null = null
let fatal: string | null = null

const source = `${import.meta.dirname}/../../../src/`
/** The nearest function outside the ones that all flows share: what a reader would name the place by. */
const placeOf = (point: string, what: string): string => {
  const frames = (new Error().stack ?? '').split('\n').slice(3)
  const frame = frames.find(
    (line) => line.includes('/server/src/') && !/platform\/(db|fault-points)\.ts|stripe\/client\.ts/.test(line),
  )
  const file = /(?:file:\/\/)?(\/[^():]+\.ts):(\d+)/.exec(frame ?? '')
  return `${point} ${what} ${file ? `${relative(source, file[1]!)}:${file[2]}` : ''}`.replaceAll(/ +/g, ' ').trim()
}

Error.stackTraceLimit = 40
onFaultPoint((point, what) => {
  if (passed === null && fatal === null) return
  const place = placeOf(point, what)
  if (passed && !passed.includes(place)) passed.push(place)
  if (place === fatal) process.kill(process.pid, 'SIGKILL')
})

const read = readConfig(process.env)
if ('problems' in read) throw new Error(JSON.stringify(read.problems))
// Ahead by whole seconds, which is all that the provider's clock can be: one behind it would count usage before its period.
const timeAhead = (ms: number) => new Date(Date.now() + ms).toISOString()
const clock = movableClock(timeAhead(Number(process.env.AHEAD_MS)))
const app = await startApp(read.config, createLog(read.config.logLevel), clock)
// Whoever is killed leaves nothing for the next life; most of a start is compiling.
flushCompileCache()

process.on('message', (order: Order) => {
  const places = passed ?? []
  if (order.do === 'watch') passed = []
  if (order.do === 'report') passed = null
  if (order.do === 'die_at') fatal = order.place
  if (order.do === 'advance') clock.advance(clock.now().until(timeAhead(order.aheadMs)).toString())
  process.send?.({ done: order.do, places } satisfies Answer)
})
process.on('disconnect', () => process.exit(0))
process.on('SIGTERM', () => void app.stop().then(() => process.exit(0)))
