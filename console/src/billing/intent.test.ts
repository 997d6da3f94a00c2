import { expect, test } from 'vitest'
import { endIntent, holdIntent } from './intent.ts'

const store = () => {
  const kept = new Map<string, string>()
  return {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
  }
}

test('what was confirmed once is repeated under the same key and in the same words, also with a newer preview', () => {
  const session = store()
  const first = holdIntent('change', { plan: 'scale', previewToken: 'first' }, session)
  expect(first.key).toMatch(/^[0-9a-f]{32}$/)
  expect(holdIntent('change', { plan: 'scale', previewToken: 'second' }, session)).toEqual(first)
})

test('another wish, and the same one after its end, has a key of its own', () => {
  const session = store()
  const first = holdIntent('change', {}, session)
  expect(holdIntent('cancel', {}, session).key).not.toBe(first.key)
  endIntent('change', session)
  expect(holdIntent('change', {}, session).key).not.toBe(first.key)
})
