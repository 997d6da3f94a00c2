import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildConsole } from './support/build.ts'

type Chunk = { file: string; imports?: string[]; css?: string[]; isEntry?: boolean }

let built: Awaited<ReturnType<typeof buildConsole>>
let manifest: Record<string, Chunk>
beforeAll(async () => {
  built = await buildConsole()
  manifest = JSON.parse(readFileSync(join(built.folder, '.vite/manifest.json'), 'utf8'))
})
afterAll(() => built.remove())

/** Everything that a browser loads to show a page: the entry, the page's chunk and all that they import. */
function firstLoad(page: string): { files: string[]; kilobytes: number } {
  const seen = new Set<string>()
  const visit = (name: string) => {
    const chunk = manifest[name]
    if (!chunk || seen.has(name)) return
    seen.add(name)
    for (const imported of chunk.imports ?? []) visit(imported)
  }
  visit('index.html')
  visit(page)
  const files = [...new Set([...seen].flatMap((name) => [manifest[name]!.file, ...(manifest[name]!.css ?? [])]))]
  const bytes = files.reduce((sum, file) => sum + gzipSync(readFileSync(join(built.folder, file))).length, 0)
  return { files, kilobytes: bytes / 1000 }
}

test.each([
  'src/billing/OverviewPage.tsx',
  'src/billing/PlansPage.tsx',
  'src/billing/UsagePage.tsx',
  'src/billing/ReturnPage.tsx',
  'src/billing/ChangePage.tsx',
  'src/billing/CommandPage.tsx',
  'src/billing/DataPage.tsx',
  'src/billing/CreditsPage.tsx',
  'src/billing/PeoplePage.tsx',
  'src/billing/OwnerTransferPage.tsx',
])('a customer loads %s with at most 200 kB', (page) => {
  expect(manifest[page]).toBeDefined()
  expect(firstLoad(page).kilobytes).toBeLessThan(200)
})

test('customers load nothing of the operator pages', () => {
  const operator = Object.keys(manifest).filter((name) => name.startsWith('src/operator/'))
  expect(operator.length).toBeGreaterThan(5)
  const loaded = new Set(firstLoad('src/billing/OverviewPage.tsx').files)
  expect(operator.filter((name) => loaded.has(manifest[name]!.file))).toEqual([])
})

test('the page has no inline script or style and names no other origin', () => {
  const html = readFileSync(join(built.folder, 'index.html'), 'utf8')
  expect(html).not.toMatch(/<script(?![^>]*\bsrc=)/)
  expect(html).not.toMatch(/<style|\son\w+=/)
  expect(html).not.toMatch(/(src|href)="(https?:)?\/\//)
})
