import { describe, expect, test } from 'vitest'
import { createBatcher } from './batch.ts'

/** A worker whose batches end when the test says so. */
const held = () => {
  const batches: { items: number[]; done(): void; fail(error: Error): void }[] = []
  return {
    batches,
    work: (items: number[]) =>
      new Promise<string[]>((resolve, reject) => {
        batches.push({ items, done: () => resolve(items.map((item) => `done ${item}`)), fail: reject })
      }),
  }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))
const until = async (holds: () => boolean) => {
  for (let turns = 0; turns < 1_000 && !holds(); turns++) await turn()
  expect(holds()).toBe(true)
}

test('what arrives in one turn is one batch, answered in order', async () => {
  const seen: number[][] = []
  const batcher = createBatcher<number, number>({
    weightMax: 100,
    concurrency: 1,
    work: async (items) => {
      seen.push(items)
      return items.map((item) => item * 2)
    },
  })
  expect(await Promise.all([1, 2, 3].map(batcher.add))).toEqual([2, 4, 6])
  expect(seen).toEqual([[1, 2, 3]])
})

test('what arrives while a batch is under way forms the next one', async () => {
  const { batches, work } = held()
  const batcher = createBatcher({ weightMax: 100, concurrency: 1, work })
  const first = batcher.add(1)
  await until(() => batches.length === 1)
  const others = [batcher.add(2), batcher.add(3)]
  await turn()
  expect(batches).toHaveLength(1)
  batches[0]!.done()
  expect(await first).toBe('done 1')
  await until(() => batches.length === 2)
  expect(batches[1]!.items).toEqual([2, 3])
  batches[1]!.done()
  expect(await Promise.all(others)).toEqual(['done 2', 'done 3'])
})

test('no more batches are under way at once than were allowed', async () => {
  const { batches, work } = held()
  const batcher = createBatcher({ weightMax: 1, concurrency: 2, work })
  const all = [1, 2, 3, 4].map(batcher.add)
  await until(() => batches.length === 2)
  await turn()
  expect(batches).toHaveLength(2)
  batches[0]!.done()
  await until(() => batches.length === 3)
  batches[1]!.done()
  batches[2]!.done()
  await until(() => batches.length === 4)
  batches[3]!.done()
  expect(await Promise.all(all)).toEqual(['done 1', 'done 2', 'done 3', 'done 4'])
})

test('a batch is as heavy as was allowed; one item that is heavier goes alone', async () => {
  const seen: number[][] = []
  const batcher = createBatcher<number, number>({
    weightMax: 10,
    concurrency: 1,
    weigh: (item) => item,
    work: async (items) => {
      seen.push(items)
      return items
    },
  })
  await Promise.all([4, 6, 1, 25, 9, 1].map(batcher.add))
  expect(seen).toEqual([[4, 6], [1], [25], [9, 1]])
})

describe('lanes', () => {
  const inLanes = (alongsideFrom: number, weightMax = 100) => {
    const { batches, work } = held()
    const lanes = { count: 2, of: (item: number) => item % 2 }
    const batcher = createBatcher({ weightMax, concurrency: 2, alongsideFrom, lanes, work })
    return { batches, add: (items: number[]) => items.map((item) => batcher.add(item)) }
  }

  test('where much waits, each batch is of one lane and they run beside each other', async () => {
    const { batches, add } = inLanes(2)
    const all = add([1, 2, 3, 4, 6])
    await until(() => batches.length === 2)
    // The one in which most waits goes first.
    expect(batches.map(({ items }) => items)).toEqual([
      [2, 4, 6],
      [1, 3],
    ])
    for (const batch of batches) batch.done()
    expect(await Promise.all(all)).toEqual([1, 2, 3, 4, 6].map((item) => `done ${item}`))
  })

  test('where little waits, all lanes share a batch', async () => {
    const { batches, add } = inLanes(10)
    const all = add([1, 2, 3])
    await until(() => batches.length === 1)
    expect(batches[0]!.items).toEqual([1, 2, 3])
    batches[0]!.done()
    await Promise.all(all)
  })

  test('the order within a lane is that of arrival, also over batches that are full', async () => {
    const { batches, add } = inLanes(1, 2)
    const all = add([1, 3, 5, 7, 2, 9])
    for (let batch = 0; batch < 4; batch++) {
      await until(() => batches.length > batch)
      batches[batch]!.done()
    }
    await Promise.all(all)
    expect(batches.flatMap(({ items }) => items.filter((item) => item % 2 === 1))).toEqual([1, 3, 5, 7, 9])
    expect(batches.every(({ items }) => items.length <= 2)).toBe(true)
  })
})

describe('when a batch fails', () => {
  test('one bad item costs nobody else', async () => {
    const batcher = createBatcher<number, string>({
      weightMax: 100,
      concurrency: 1,
      work: async (items) => {
        if (items.includes(3)) throw new Error('3 is bad')
        return items.map((item) => `done ${item}`)
      },
    })
    const settled = await Promise.allSettled([1, 2, 3, 4].map(batcher.add))
    expect(settled.map((each) => (each.status === 'fulfilled' ? each.value : each.reason.message))).toEqual([
      'done 1',
      'done 2',
      '3 is bad',
      'done 4',
    ])
  })

  test('a single item gets the error, and the batcher goes on', async () => {
    let calls = 0
    const batcher = createBatcher<number, number>({
      weightMax: 100,
      concurrency: 1,
      work: async (items) => {
        if (++calls === 1) throw new Error('once')
        return items
      },
    })
    await expect(batcher.add(1)).rejects.toThrow('once')
    expect(calls).toBe(1)
    expect(await batcher.add(2)).toBe(2)
  })
})

describe('when something has to be true before items are told', () => {
  test('the next batch is under way before it is, and nobody is told', async () => {
    const { batches, work } = held()
    const letGo: (() => void)[] = []
    const beforeTold = () => new Promise<void>((resolve) => letGo.push(resolve))
    const batcher = createBatcher({ weightMax: 1, concurrency: 1, work, beforeTold })
    const told: string[] = []
    const all = [1, 2].map((item) => batcher.add(item).then((result) => told.push(result)))
    await until(() => batches.length === 1)
    batches[0]!.done()
    await until(() => batches.length === 2 && letGo.length === 1)
    expect(told).toEqual([])
    let idle = false
    const waiting = batcher.idle().then(() => {
      idle = true
    })
    batches[1]!.done()
    await until(() => letGo.length === 2)
    await turn()
    expect({ told, idle }).toEqual({ told: [], idle: false })
    for (const each of letGo) each()
    await Promise.all([...all, waiting])
    expect(told).toEqual(['done 1', 'done 2'])
  })

  test('when it does not come true, what was done is told as that error, what failed as its own', async () => {
    const batcher = createBatcher<number, string>({
      weightMax: 100,
      concurrency: 1,
      work: async (items) => {
        if (items.includes(3)) throw new Error('3 is bad')
        return items.map((item) => `done ${item}`)
      },
      beforeTold: () => Promise.reject(new Error('the disk is gone')),
    })
    const settled = await Promise.allSettled([1, 3].map(batcher.add))
    expect(settled.map((each) => (each.status === 'fulfilled' ? each.value : each.reason.message))).toEqual([
      'the disk is gone',
      '3 is bad',
    ])
  })
})

test('idle is when everything was answered', async () => {
  const { batches, work } = held()
  const batcher = createBatcher({ weightMax: 1, concurrency: 1, work })
  await batcher.idle()
  const all = [batcher.add(1), batcher.add(2)]
  let idle = false
  const waiting = batcher.idle().then(() => {
    idle = true
  })
  await until(() => batches.length === 1)
  batches[0]!.done()
  await until(() => batches.length === 2)
  expect(idle).toBe(false)
  batches[1]!.done()
  await Promise.all([...all, waiting])
  expect(idle).toBe(true)
})
