import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, expect, test, vi } from 'vitest'
import { chromiumArguments, findChromium } from '../src/chromium.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

test('the browser that is found draws a page', async () => {
  const profile = mkdtempSync(join(tmpdir(), 'turnpike-chromium-'))
  try {
    const { stdout } = await promisify(execFile)(await findChromium(), [
      ...chromiumArguments,
      `--user-data-dir=${profile}`,
      '--dump-dom',
      'data:text/html,<p>drawn</p>',
    ])
    expect(stdout).toContain('<p>drawn</p>')
  } finally {
    rmSync(profile, { recursive: true, force: true })
  }
})

test('CHROMIUM_PATH decides, and is named when it is wrong', async () => {
  vi.stubEnv('CHROMIUM_PATH', process.execPath)
  expect(await findChromium()).toBe(process.execPath)
  vi.stubEnv('CHROMIUM_PATH', '/nowhere/chromium')
  await expect(findChromium()).rejects.toThrow('CHROMIUM_PATH is /nowhere/chromium')
})
