import { chromiumArguments, findChromium } from '@turnpike/local/chromium'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'
import { buildConsole } from './build.ts'
import { startFixtureServer } from './fixture-server.ts'

export type World = {
  /** Opens a page as somebody: `owner.active`, `operator`; without a name nobody is signed in. */
  open: (path: string, who?: string, how?: BrowserContextOptions) => Promise<Page>
  /** As `open`, in a tab that one visitor after the other sits down at: light, of the usual size, nothing left behind. */
  visit: (path: string, who?: string) => Promise<Page>
  failures: string[]
  /** What pages asked of the API, `POST /billing/session {…}`, in order. */
  asked: string[]
  stop: () => Promise<void>
}

/** One browser and one server for a test file; every page that is opened has its own context, like a visitor of its own. */
export async function startWorld(): Promise<World> {
  const built = await buildConsole()
  const server = await startFixtureServer(built.folder)
  const browser: Browser = await chromium.launch({
    executablePath: await findChromium(),
    args: [...chromiumArguments],
  })
  const failures = server.failures
  const asked: string[] = []
  const newTab = async (how: BrowserContextOptions = {}): Promise<Tab> => {
    const page = await (await browser.newContext({ reducedMotion: 'reduce', ...how })).newPage()
    const tab = { page, path: '', underWay: 0 }
    page.on('request', (request) => {
      tab.underWay += 1
      const [, asks] = request.url().split('/api/v1')
      if (asks) asked.push(`${request.method()} ${asks} ${request.postData() ?? ''}`.trim())
      if (!request.url().startsWith(server.url)) failures.push(`${tab.path} asks another origin: ${request.url()}`)
    })
    for (const end of ['requestfinished', 'requestfailed'] as const) {
      page.on(end as 'requestfinished', () => {
        tab.underWay -= 1
      })
    }
    page.on('pageerror', (error) => failures.push(`${tab.path}: ${error.message}`))
    page.on('console', (message) => {
      if (/Content Security Policy|hydrat|Warning:|unique "key"/i.test(message.text())) failures.push(message.text())
    })
    return tab
  }
  const load = async (tab: Tab, path: string, who?: string): Promise<Page> => {
    tab.path = path
    await tab.page.goto(`${server.url}${path}${who ? `#token=${who}` : ''}`)
    await tab.page.locator('h1').waitFor()
    // All that was asked for is answered and drawn.
    await expect.poll(() => tab.underWay, { interval: 20, timeout: 20_000 }).toBe(0)
    await tab.page.waitForFunction(() => !document.querySelector('[class*="loading"]'))
    return tab.page
  }
  let shared: Tab | undefined
  return {
    failures,
    asked,
    open: async (path, who, how) => load(await newTab(how), path, who),
    visit: async (path, who) => {
      if (shared) await leave(shared.page)
      shared ??= await newTab({ colorScheme: 'light', viewport })
      return load(shared, path, who)
    },
    stop: async () => {
      await browser.close()
      await server.stop()
      built.remove()
    },
  }
}

type Tab = { page: Page; path: string; underWay: number }
const viewport = { width: 1280, height: 720 }

/** Ends a visit. The program stays compiled, which is most of what a page costs; all that it kept of somebody goes. */
const leave = async (page: Page): Promise<void> => {
  await page.evaluate(() => {
    sessionStorage.clear()
    localStorage.clear()
  })
  await page.context().clearCookies()
  // Two visitors of one address differ in the fragment alone, which would load nothing.
  await page.goto('about:blank')
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(viewport)
}
