import { expect, test } from 'vitest'
import { createLog } from '../platform/log.ts'
import { startLoop } from './loop.ts'

const log = createLog('silent')

test('to finish is to have run after it was asked, until nothing more is to do', async () => {
  let left = 0
  const runs: number[] = []
  const loop = startLoop('test', log, 60_000, async () => {
    runs.push(left)
    return left === 0 ? 0 : left--
  })
  await loop.finish()
  left = 2
  await loop.finish()
  expect(runs.slice(-3)).toEqual([2, 1, 0])
  await loop.stop()
})

test('a run that began before does not count: what it looked at may be older than the question', async () => {
  let go = () => {}
  let runs = 0
  const loop = startLoop('test', log, 60_000, async () => {
    if (++runs === 1)
      await new Promise<void>((resolve) => {
        go = resolve
      })
    return 0
  })
  const finished = loop.finish()
  go()
  await finished
  expect(runs).toBe(2)
  await loop.stop()
})

test('nobody waits for ever: a run that fails settles it, and so does the end', async () => {
  const failing = startLoop('test', log, 60_000, async () => {
    throw new Error('no')
  })
  await failing.finish()
  await failing.stop()
  await failing.finish()

  let go = () => {}
  const busy = startLoop('test', log, 60_000, async () => {
    await new Promise<void>((resolve) => {
      go = resolve
    })
    return 1
  })
  const finished = busy.finish()
  const stopped = busy.stop()
  go()
  await Promise.all([finished, stopped])
})
