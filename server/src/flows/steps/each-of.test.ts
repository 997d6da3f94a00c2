import { expect, test } from 'vitest'
import { createLog } from '../../platform/log.ts'
import { eachOf } from './each-of.ts'

test('one that cannot be worked on holds up nobody behind it', async () => {
  const worked: string[] = []
  const done = await eachOf({ log: createLog('silent') }, 'tests', ['ana', 'bob', 'cleo'], async (tenantId) => {
    if (tenantId === 'ana') throw new Error('broken')
    worked.push(tenantId)
  })
  expect([done, worked]).toEqual([2, ['bob', 'cleo']])
})
