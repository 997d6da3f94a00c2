import { AxeBuilder } from '@axe-core/playwright'
import { chromiumArguments, findChromium } from '@turnpike/local/chromium'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'
import { buildConsole } from './build.ts'
import { startFixtureServer } from './fixture-server.ts'

export type World = {
  /** Opens a page as somebody: `owner.active`, `operator`; without a name nobody is signed in. */
  open: (path: string, who?: string, how?: BrowserContextOptions) => Promise<Page>
  failures: string[]
  /** What pages asked of the API, `POST /billing/session {…}`, in order. */
  asked: string[]
  stop: () => Promise<void>
}

/** One browser and one server for a test file; every page has its own context, like a visitor of its own. */
export async function startWorld(): Promise<World> {
  const built = await buildConsole()
  const server = await startFixtureServer(built.folder)
  const browser: Browser = await chromium.launch({
    executablePath: await findChromium(),
    args: [...chromiumArguments],
  })
  const failures = server.failures
  const asked: string[] = []
  return {
    failures,
    asked,
    open: async (path, who, how = {}) => {
      const context = await browser.newContext({ reducedMotion: 'reduce', ...how })
      const page = await context.newPage()
      let underWay = 0
      page.on('request', (request) => {
        underWay += 1
        const [, path] = request.url().split('/api/v1')
        if (path) asked.push(`${request.method()} ${path} ${request.postData() ?? ''}`.trim())
      })
      for (const end of ['requestfinished', 'requestfailed'] as const) {
        page.on(end as 'requestfinished', () => {
          underWay -= 1
        })
      }
      page.on('pageerror', (error) => failures.push(`${path}: ${error.message}`))
      page.on('request', (request) => {
        if (!request.url().startsWith(server.url)) failures.push(`${path} asks another origin: ${request.url()}`)
      })
      page.on('console', (message) => {
        if (/Content Security Policy|hydrat|Warning:|unique "key"/i.test(message.text())) failures.push(message.text())
      })
      await page.goto(`${server.url}${path}${who ? `#token=${who}` : ''}`)
      await page.locator('h1').waitFor()
      // All that was asked for is answered and drawn.
      await expect.poll(() => underWay, { interval: 20, timeout: 20_000 }).toBe(0)
      await page.waitForFunction(() => !document.querySelector('[class*="loading"]'))
      return page
    },
    stop: async () => {
      await browser.close()
      await server.stop()
      built.remove()
    },
  }
}

/** The accessibility violations of the page as it is now, one line each. */
export const violations = (page: Page): Promise<string[]> =>
  scan(new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']))

/** Only what depends on the colours, for a page that was scanned in the other scheme already. */
export const contrastViolations = (page: Page): Promise<string[]> =>
  scan(new AxeBuilder({ page }).withRules(['color-contrast', 'link-in-text-block']))

async function scan(axe: AxeBuilder): Promise<string[]> {
  // A frame in which no script may run cannot be looked into, axe included; its name is asserted in the journeys.
  const { violations } = await axe.exclude('iframe[sandbox=""]').analyze()
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(' ')} ${node.failureSummary?.split('\n')[1]?.trim()}`),
  )
}
