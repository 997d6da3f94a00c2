import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

test('the evidence names files that exist, and every row names one', () => {
  const rows = readFileSync(join(root, 'docs/evidence.md'), 'utf8')
    .split('\n')
    .filter((line) => /^\| [A-Z]+-/.test(line))
  expect(rows.length).toBeGreaterThan(40)
  for (const row of rows) {
    const files = [...row.split('|')[4]!.matchAll(/`([^`\s]+\/[^`\s]+)`/g)].map((match) => match[1]!)
    expect(files, row).not.toEqual([])
    expect(
      files.filter((file) => !existsSync(join(root, file))),
      row,
    ).toEqual([])
  }
})
