import axe, { type AxeResults, type RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'

/** Every rule of WCAG 2.2 AA that a machine can check, and what axe thinks of as good practice. */
const everyRule: RunOptions['runOnly'] = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
/** What depends on the colours, for a page that was scanned in its other scheme already. */
const colourRules: RunOptions['runOnly'] = { type: 'rule', values: ['color-contrast', 'link-in-text-block'] }

/**
 * What axe finds wrong on the page as it is now, one line for each place. It runs in the page itself: another page and a
 * second copy of axe for each scan, as its own wrapper has them for frames of other origins, take as long as the rules.
 */
export async function accessibilityViolations(page: Page, rules: 'every' | 'colours' = 'every'): Promise<string[]> {
  if (!(await page.evaluate(`'axe' in window`))) await page.evaluate(axe.source)
  await page.evaluate(animationsEnd)
  // A frame in which no script may run cannot be looked into, axe included.
  const context = { exclude: ['iframe[sandbox=""]'] }
  const options: RunOptions = {
    runOnly: rules === 'every' ? everyRule : colourRules,
    resultTypes: ['violations'],
  }
  const { violations } = (await page.evaluate(
    `axe.run(${JSON.stringify(context)}, ${JSON.stringify(options)}).then(({ violations }) => ({ violations }))`,
  )) as Pick<AxeResults, 'violations'>
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(' ')} ${node.failureSummary?.split('\n')[1]?.trim()}`),
  )
}

// Between two colours there are others, which nobody has to read. What moves for ever is looked at as it is.
const animationsEnd = `(async () => {
  const underWay = () =>
    document
      .getAnimations()
      .filter(({ playState, effect }) => playState === 'running' && effect.getComputedTiming().endTime !== Infinity)
  for (let all = underWay(); all.length > 0; all = underWay()) await Promise.allSettled(all.map(({ finished }) => finished))
})()`
