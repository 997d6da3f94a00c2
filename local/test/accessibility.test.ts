import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { accessibilityViolations } from '../src/accessibility.ts'
import { chromiumArguments, findChromium } from '../src/chromium.ts'

let browser: Browser
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: await findChromium(), args: [...chromiumArguments] })
})
afterAll(() => browser.close())

const page = (style: string, main: string) =>
  `<!doctype html><html lang="en"><title>A page</title><style>${style}</style><main><h1>A page</h1>${main}</main></html>`
const rulesOf = (violations: string[]) => violations.map((violation) => violation.split(':')[0])

test('what is wrong is found: in its structure, in its good practice and in the colours of each scheme', async () => {
  const tab = await browser.newPage({ colorScheme: 'light' })
  const grey = '@media (prefers-color-scheme: dark) { body { color: #ccc } }'
  await tab.setContent(page('', '<p>All is well.</p><iframe sandbox="" title="A letter"></iframe>'))
  expect(await accessibilityViolations(tab)).toEqual([])

  await tab.setContent(page(grey, '<button></button><h4>Too deep</h4>'))
  expect(rulesOf(await accessibilityViolations(tab))).toEqual(['button-name', 'heading-order'])
  expect(await accessibilityViolations(tab, 'colours')).toEqual([])

  await tab.emulateMedia({ colorScheme: 'dark' })
  expect(rulesOf(await accessibilityViolations(tab, 'colours'))).toEqual(['color-contrast', 'color-contrast'])
  await tab.close()
})

test('colours are looked at when they have arrived', async () => {
  const tab = await browser.newPage({ colorScheme: 'light' })
  await tab.setContent(
    page(
      'body { background: #fff; color: #000; transition: all 1s } @media (prefers-color-scheme: dark) { body { background: #000; color: #fff } }',
      '',
    ),
  )
  await tab.emulateMedia({ colorScheme: 'dark' })
  expect(await accessibilityViolations(tab)).toEqual([])
  await tab.close()
})
