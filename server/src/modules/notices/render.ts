import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Liquid, type Template } from 'liquidjs'
import { cleanText, formatFields, type Style } from './format.ts'
import { definitionOf, type NoticeKind, noticeKindNames } from './kinds.ts'

export type Wording = Style & {
  /** Who writes. */
  brand: string
  /** Where links to our own pages lead. */
  linkBase: string
}
export type Rendered = { subject: string; text: string; html: string; link: string }

export type NoticeTemplates = {
  render(kind: NoticeKind, data: Readonly<Record<string, unknown>>, customerName: string): Rendered
}

const parts = ['subject', 'text', 'html'] as const
// Unknown variables and filters are mistakes; templates include nothing from elsewhere.
const strict = { strictVariables: true, strictFilters: true, fs: noFiles(), relativeReference: false }
const plain = new Liquid(strict)
const marked = new Liquid({ ...strict, outputEscape: 'escape' })

/**
 * Reads and checks the templates of a folder: every kind has its three parts, and each is rendered with its example both
 * with everything that may be missing and without. Throws every mistake at once, so that none is found by a customer.
 */
export const loadTemplates = (folder: string, wording: Wording): NoticeTemplates => {
  const mistakes: string[] = []
  const parse = (engine: Liquid, path: string): Template[] => {
    try {
      return engine.parse(readFileSync(join(folder, path), 'utf8'), path)
    } catch (error) {
      mistakes.push(`${path}: ${messageOf(error)}`)
      return []
    }
  }
  const layout = { text: parse(plain, 'layout.text.liquid'), html: parse(marked, 'layout.html.liquid') }
  const templates = new Map(
    noticeKindNames.map((kind) => [
      kind,
      {
        subject: parse(plain, `${kind}/subject.liquid`),
        text: parse(plain, `${kind}/text.liquid`),
        html: parse(marked, `${kind}/html.liquid`),
      } satisfies Record<(typeof parts)[number], Template[]>,
    ]),
  )
  for (const name of strangers(folder)) mistakes.push(`${name}: there is no such kind of notice`)

  const render: NoticeTemplates['render'] = (kind, data, customerName) => {
    const definition = definitionOf(kind)
    const template = templates.get(kind)!
    const named = definition.link.field === undefined ? null : data[definition.link.field]
    const { page, id } = definition.link
    const own = `${wording.linkBase}${page}${id === undefined ? '' : `/${encodeURIComponent(String(data[id]))}`}`
    const link = typeof named === 'string' ? named : own
    const scope = {
      ...formatFields(definition, data, wording),
      brand: cleanText(wording.brand),
      customerName: cleanText(customerName),
      billingPage: `${wording.linkBase}/billing`,
      language: wording.locale,
      link,
    }
    const subject = cleanText(String(plain.renderSync(template.subject, scope)))
    const text = plain.renderSync(layout.text, { ...scope, content: plain.renderSync(template.text, scope) })
    const html = marked.renderSync(layout.html, { ...scope, subject, content: marked.renderSync(template.html, scope) })
    return { subject, text: String(text), html: String(html), link }
  }

  if (mistakes.length === 0)
    for (const kind of noticeKindNames)
      for (const data of examplesOf(kind))
        try {
          render(kind, data, 'Example Ltd.')
        } catch (error) {
          mistakes.push(`${kind}: ${messageOf(error)}`)
        }
  if (mistakes.length > 0) throw new Error(`the notices in ${folder} have mistakes:\n${mistakes.join('\n')}`)
  return { render }
}

/** The example, and the same with everything missing that may be: and with each flag turned round. */
const examplesOf = (kind: NoticeKind): Record<string, unknown>[] => {
  const { example, fields } = definitionOf(kind)
  const sparse = Object.fromEntries(
    Object.entries(example).map(([name, value]) => [
      name,
      fields[name]?.endsWith('?') ? null : typeof value === 'boolean' ? !value : value,
    ]),
  )
  return [example, sparse]
}

const strangers = (folder: string): string[] => {
  const known = new Set<string>(noticeKindNames)
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !known.has(entry.name))
    .map((entry) => entry.name)
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function noFiles() {
  const refuse = () => {
    throw new Error('templates include no other files')
  }
  return {
    exists: async () => false,
    existsSync: () => false,
    readFile: async (): Promise<string> => refuse(),
    readFileSync: (): string => refuse(),
    resolve: (_: string, file: string) => file,
    contains: async () => false,
    containsSync: () => false,
  }
}
