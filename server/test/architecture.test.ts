import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { findBreaches, type SourceFile } from './support/import-rules.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const sourcesUnder = (folder: string): SourceFile[] =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
        .map((entry) => {
          const path = join(entry.parentPath, entry.name)
          return { path: relative(root, path), text: readFileSync(path, 'utf8') }
        })
    : []

test('the house keeps its import rules', () => {
  const files = ['contract/src', 'client/src', 'sandbox/src', 'server/src'].flatMap(sourcesUnder)
  expect(files.length).toBeGreaterThan(100)
  expect(findBreaches(files)).toEqual([])
})

test('every module has its face and its page', () => {
  const modules = readdirSync(join(root, 'server/src/modules'))
  expect(modules.length).toBeGreaterThan(5)
  for (const module of modules)
    expect(readdirSync(join(root, 'server/src/modules', module)), module).toEqual(
      expect.arrayContaining(['index.ts', 'README.md']),
    )
})

const planted: [name: string, path: string, text: string, breach: RegExp][] = [
  [
    'core importing platform',
    'server/src/core/a.ts',
    `import { sql } from '../platform/db.ts'`,
    /core may not import platform/,
  ],
  [
    'platform importing a module',
    'server/src/platform/a.ts',
    `import { a } from '../modules/usage/index.ts'`,
    /platform may not import modules/,
  ],
  [
    'a module importing a provider',
    'server/src/modules/payments/a.ts',
    `import { a } from '../../providers/x/index.ts'`,
    /modules may not import providers/,
  ],
  [
    'a provider importing a flow',
    'server/src/providers/x/a.ts',
    `import { a } from '../../flows/open-session.ts'`,
    /providers may not import flows/,
  ],
  [
    'a flow importing an edge',
    'server/src/flows/a.ts',
    `import { a } from '../http/auth.ts'`,
    /flows may not import http/,
  ],
  [
    'one edge importing the other',
    'server/src/worker/a.ts',
    `import { a } from '../http/auth.ts'`,
    /worker may not import http/,
  ],
  [
    'a flow importing the composition root',
    'server/src/flows/a.ts',
    `import type { App } from '../app.ts'`,
    /composition root/,
  ],
  [
    'an edge importing the settings',
    'server/src/http/a.ts',
    `import type { Config } from '../config.ts'`,
    /imports config\.ts/,
  ],
  [
    'a type import across the order',
    'server/src/core/a.ts',
    `import type { Db } from '../platform/db.ts'`,
    /core may not import platform/,
  ],
  [
    'a dynamic import across the order',
    'server/src/core/a.ts',
    `const a = await import('../flows/a.ts')`,
    /core may not import flows/,
  ],
  [
    'an export across the order',
    'server/src/core/a.ts',
    `export * from '../platform/db.ts'`,
    /core may not import platform/,
  ],
  [
    'catalog importing customers',
    'server/src/modules/catalog/a.ts',
    `import { a } from '../customers/index.ts'`,
    /catalog may not import customers/,
  ],
  [
    'usage importing entitlements',
    'server/src/modules/usage/a.ts',
    `import { a } from '../entitlements/index.ts'`,
    /usage may not import entitlements/,
  ],
  [
    'payments importing subscriptions',
    'server/src/modules/payments/a.ts',
    `import { a } from '../subscriptions/index.ts'`,
    /payments may not import subscriptions/,
  ],
  [
    'a module that is not in the table',
    'server/src/modules/gifts/a.ts',
    `import { a } from '../catalog/index.ts'`,
    /gifts is not in the table/,
  ],
  [
    'a module past its face',
    'server/src/flows/a.ts',
    `import { a } from '../modules/usage/store.ts'`,
    /past its index\.ts/,
  ],
  [
    'a module past another face',
    'server/src/modules/usage/a.ts',
    `import { a } from '../catalog/catalog.ts'`,
    /past its index\.ts/,
  ],
  ['SQL in a flow', 'server/src/flows/a.ts', 'const a = sql`select 1`', /has SQL/],
  ['a query in a rule', 'server/src/modules/usage/decide.ts', 'await queryOne<{ a: string }>(db, x)', /has SQL/],
  ['a driver call in an edge', 'server/src/http/a.ts', `await client.query('select 1')`, /has SQL/],
  ['SQL in a store that is not a module’s', 'server/src/http/store.ts', 'const a = sql`select 1`', /has SQL/],
  [
    'the system clock in a rule',
    'server/src/modules/usage/a.ts',
    'const at = Temporal.Now.instant()',
    /reads the time/,
  ],
  ['Date.now in a flow', 'server/src/flows/a.ts', 'const at = Date.now()', /reads the time/],
  ['new Date in an edge', 'server/src/http/a.ts', 'const at = new Date( )', /reads the time/],
  ['the environment in a flow', 'server/src/flows/a.ts', 'const url = process.env.URL', /reads the environment/],
  [
    'the environment by destructuring',
    'server/src/platform/a.ts',
    'const { URL } = process . env',
    /reads the environment/,
  ],
  ['the SDK in a flow', 'server/src/flows/a.ts', `import Stripe from 'stripe'`, /SDK of Stripe/],
  [
    'a word of Stripe in a module',
    'server/src/modules/payments/a.ts',
    `const header = 'stripe-signature'`,
    /speaks of Stripe/,
  ],
  ['a class', 'server/src/modules/usage/a.ts', 'export class UsageService {}', /has a class/],
  ['a service.ts', 'server/src/modules/usage/service.ts', 'export const a = 1', /service\.ts/],
  [
    'the contract importing the server',
    'contract/src/a.ts',
    `import { a } from '@turnpike/server'`,
    /may not import @turnpike\/server/,
  ],
  [
    'the contract reaching into the server',
    'contract/src/a.ts',
    `import { a } from '../../server/src/core/ids.ts'`,
    /reaches into server/,
  ],
  [
    'the client importing the server',
    'client/src/a.ts',
    `import { a } from '@turnpike/server'`,
    /may not import @turnpike\/server/,
  ],
  [
    'the sandbox importing the contract',
    'sandbox/src/a.ts',
    `import { a } from '@turnpike/contract'`,
    /may not import @turnpike\/contract/,
  ],
  [
    'the server importing the sandbox',
    'server/src/app.ts',
    `import { a } from '@turnpike/sandbox'`,
    /may not import @turnpike\/sandbox/,
  ],
  [
    'the server importing the client',
    'server/src/flows/a.ts',
    `import { a } from '@turnpike/client'`,
    /may not import @turnpike\/client/,
  ],
]

test.each(planted)('the checker finds %s', (_, path, text, breach) => {
  const found = findBreaches([{ path, text }])
  expect(found).toContainEqual(expect.stringMatching(breach))
  for (const sentence of found) expect(sentence).toContain(path)
})

const kept: [name: string, path: string, text: string][] = [
  [
    'what the table allows',
    'server/src/modules/entitlements/a.ts',
    `import { a } from '../usage/index.ts'\nimport { b } from '../../core/ids.ts'`,
  ],
  ['a file of the same module', 'server/src/modules/usage/a.ts', `import { a } from './store.ts'`],
  ['SQL in a store', 'server/src/modules/usage/store.ts', 'const a = sql`select 1`\nawait query(db, a)'],
  [
    'the composition root knowing every part',
    'server/src/app.ts',
    `import { a } from './providers/stripe/catalog.ts'\nimport { b } from './http/server.ts'`,
  ],
  [
    'a breach that is only spoken of',
    'server/src/flows/a.ts',
    '// Date.now() would be wrong here\n/* process.env */\nexport const a = 1',
  ],
  ['a test', 'server/src/flows/a.test.ts', `import Stripe from 'stripe'`],
]

test.each(kept)('the checker lets through %s', (_, path, text) => {
  expect(findBreaches([{ path, text }])).toEqual([])
})
