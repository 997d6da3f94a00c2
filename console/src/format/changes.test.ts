import { expect, test } from 'vitest'
import { changesBetween } from './changes.ts'

test('only what differs is said, with what it was', () => {
  expect(changesBetween({ name: 'Globex Inc.', currency: 'EUR' }, { name: 'Globex', currency: 'EUR' })).toEqual([
    { field: 'name', before: 'Globex Inc.', after: 'Globex' },
  ])
})

test('something made says what it has, and not what it lacks', () => {
  expect(changesBetween(null, { feature: 'sso', set: { enabled: true }, expiresAt: null })).toEqual([
    { field: 'feature', after: 'sso' },
    { field: 'set', after: '{"enabled":true}' },
  ])
})

test('a value that was taken away stays visible', () => {
  expect(changesBetween({ email: 'a@b.example' }, { email: null })).toEqual([{ field: 'email', before: 'a@b.example' }])
})
