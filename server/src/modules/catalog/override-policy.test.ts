import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseCatalog } from './parse.ts'

const acme = readFileSync('catalog/acme.yaml', 'utf8')

test('a policy of overrides names features that exist (ENT-2)', () => {
  const parsed = parseCatalog(acme.replace(/secondPerson: \{[^}]*\}/, 'secondPerson: { features: [sso, sse] }'))
  expect(parsed.ok ? [] : parsed.problems.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^There is no feature "sse"; perhaps "sso" is meant\.$/),
  ])
  expect(parseCatalog(acme.replace(/secondPerson: \{[^}]*\}/, 'secondPerson: { features: [sso] }')).ok).toBe(true)
})
