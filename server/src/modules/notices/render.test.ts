import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { noticeKindNames, noticeKinds } from './kinds.ts'
import { loadTemplates } from './render.ts'

const ours = fileURLToPath(new URL('../../../notices', import.meta.url))
const wording = { brand: 'Acme', linkBase: 'https://billing.acme.example', locale: 'en-US', timeZone: 'UTC' }
const base = mkdtempSync(join(tmpdir(), 'notices-'))
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(base, 'copy-'))
  cpSync(ours, folder, { recursive: true })
})
afterAll(() => rmSync(base, { recursive: true }))

const { render } = loadTemplates(ours, wording)

describe.each(noticeKindNames)('%s', (kind) => {
  const { subject, text, html, link } = render(kind, noticeKinds[kind].example, 'Ana & Söhne <GmbH>')

  test('says the same in text and in HTML, with the link in both', () => {
    expect(subject).toMatch(/^\S.{5,110}\S$/)
    expect(text).toContain(link)
    expect(html).toContain(`href="${link.replaceAll('&', '&amp;')}"`)
    const words = html
      .slice(html.indexOf('<main>'))
      .replaceAll(/<[^>]+>/g, ' ')
      .replaceAll(/\s+/g, ' ')
    for (const line of text.split('\n').filter((line) => /^[A-Z].*\.$/.test(line) && !line.includes('Söhne')))
      expect(words.replaceAll('&#39;', "'").replaceAll('&amp;', '&')).toContain(line.trim())
  })
  test('marks up nothing that it was given, and loads nothing from elsewhere', () => {
    expect(html).toContain('Ana &amp; Söhne &lt;GmbH&gt;')
    expect(html).not.toContain('<GmbH>')
    expect(html).not.toMatch(/<(img|script|link|iframe)|url\(/)
    expect(text).toContain('Ana & Söhne <GmbH>')
    expect(text + subject).not.toMatch(/&(amp|lt|gt|#39);|undefined|null|\{\{|\{%/)
  })
  test('can be read by everybody', () => {
    expect(html).toMatch(/^<!doctype html>\n<html lang="en-US">/)
    expect(html).toContain('<meta name="color-scheme" content="light dark">')
    expect(html).toContain('<h1>')
  })
})

describe('a mistake in a template ends the start', () => {
  const problems = (): string => {
    try {
      loadTemplates(folder, wording)
      return ''
    } catch (error) {
      return (error as Error).message
    }
  }
  test('the reviewed ones have none', () => expect(problems()).toBe(''))
  test.each([
    ['an unknown variable', 'trial_ending/text.liquid', '{{ plam }}', /trial_ending.*plam/],
    [
      'an unknown variable in what is seldom said',
      'trial_ending/html.liquid',
      '{% if paymentMethodOnFile %}{{ plam }}{% endif %}',
      /plam/,
    ],
    [
      'an unknown variable where something is missing',
      'receipt/text.liquid',
      '{% if number %}{% else %}{{ plam }}{% endif %}',
      /plam/,
    ],
    ['an unknown filter', 'canceled/subject.liquid', '{{ plan | shout }}', /canceled.*shout/],
    ['a tag that is not closed', 'canceled/html.liquid', '{% if plan %}', /canceled\/html/],
    ['a file from elsewhere', 'canceled/html.liquid', '{% include "../../package.json" %}', /Failed to lookup/],
  ])('%s', (_, file, content, problem) => {
    writeFileSync(join(folder, file), content)
    expect(problems()).toMatch(problem)
  })
  test('a part that is missing, and a kind that does not exist, both at once', () => {
    rmSync(join(folder, 'paused/html.liquid'))
    mkdirSync(join(folder, 'birthday'))
    expect(problems()).toMatch(/paused\/html[\s\S]*birthday/)
  })
})

test('a value is never read as a template', () => {
  const { text } = render('canceled', noticeKinds.canceled.example, '{{ link }}{% if %}')
  expect(text).toContain('{{ link }}{% if %}')
})
