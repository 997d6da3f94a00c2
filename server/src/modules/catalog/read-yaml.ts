import type { CatalogProblem } from '@turnpike/contract'
import { isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseDocument } from 'yaml'

/** Where something stands in the file, as the keys that lead to it. */
export type Path = readonly (string | number)[]
/** Makes a problem at the place of a path, or at the nearest place around it that the file has. */
export type ProblemAt = (path: Path, message: string, at?: 'key' | 'value') => CatalogProblem

export type ReadFile = { value: unknown; problems: CatalogProblem[]; problemAt: ProblemAt }

const charactersMax = 1_000_000
const depthMax = 20

/**
 * Reads YAML 1.2 as plain data with the place of every part. Anchors, aliases and tags are refused, because a reviewed
 * file says what it means where it says it; so are duplicate keys. Never throws.
 */
export const readYaml = (source: string): ReadFile => {
  const lines = new LineCounter()
  const problems: CatalogProblem[] = []
  const places = new Map<string, { key: number; value: number }>()
  const problem = (offset: number, path: Path, message: string): CatalogProblem => {
    const { line, col } = lines.linePos(Math.min(offset, source.length))
    return { line: Math.max(line, 1), column: Math.max(col, 1), path: pathText(path), message }
  }
  const problemAt: ProblemAt = (path, message, at) => {
    for (let length = path.length; length >= 0; length--) {
      const place = places.get(JSON.stringify(path.slice(0, length)))
      if (place) return problem(at === 'value' && length === path.length ? place.value : place.key, path, message)
    }
    return problem(0, path, message)
  }
  const refuse = (offset: number, path: Path, message: string): ReadFile => ({
    value: undefined,
    problems: [problem(offset, path, message)],
    problemAt,
  })

  if (source.length > charactersMax) return refuse(0, [], `The file is longer than ${charactersMax} characters.`)
  if (source.includes('\0')) return refuse(source.indexOf('\0'), [], 'The file holds a NUL character: it is no text.')
  const tooDeep = deepAt(source)
  if (tooDeep !== null) return refuse(tooDeep, [], `The file is nested deeper than ${depthMax} levels.`)

  // The library compares every key with every other to find duplicates; `read` below does it in one pass.
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, schema: 'core' })
  // What is read out of broken YAML is a guess, and so would be every further mistake. One sentence a line.
  const broken = new Map<number, CatalogProblem>()
  for (const error of document.errors.toSorted((a, b) => a.pos[0] - b.pos[0])) {
    const found = problem(error.pos[0], [], sentenceOf(error.message))
    if (!broken.has(found.line)) broken.set(found.line, found)
  }
  if (broken.size > 0) return { value: undefined, problems: [...broken.values()], problemAt }

  const read = (node: ParsedNode | null, path: Path, keyOffset: number): unknown => {
    const offset = node?.range?.[0] ?? keyOffset
    places.set(JSON.stringify(path), { key: keyOffset, value: offset })
    if (node === null) return null
    if (isAlias(node)) {
      problems.push(problem(offset, path, 'Aliases are not used in a catalog: write the value here.'))
      return undefined
    }
    if (node.anchor) problems.push(problem(offset, path, 'Anchors are not used in a catalog.'))
    if (node.tag) problems.push(problem(offset, path, 'Tags are not used in a catalog.'))
    if (path.length > depthMax) {
      problems.push(problem(offset, path, `The file is nested deeper than ${depthMax} levels.`))
      return undefined
    }
    if (isScalar(node)) {
      if (typeof node.value === 'string' && !isPlainText(node.value))
        problems.push(problem(offset, path, 'The text holds characters that cannot be shown or stored.'))
      return node.value
    }
    if (isSeq(node))
      return node.items.map((item, index) =>
        read(item as ParsedNode, [...path, index], startOf(item as ParsedNode, offset)),
      )
    if (!isMap(node)) return undefined
    const entries = new Map<string, unknown>()
    for (const pair of node.items) {
      const keyNode = pair.key as ParsedNode | null
      const at = startOf(keyNode, offset)
      if (!isScalar(keyNode)) {
        problems.push(problem(at, path, 'A key is a plain name.'))
        continue
      }
      const key = String(keyNode.value)
      if (entries.has(key)) {
        problems.push(problem(at, [...path, key], `"${key}" is already given above.`))
        continue
      }
      entries.set(key, read(pair.value as ParsedNode | null, [...path, key], at))
    }
    // From entries, so that a key named __proto__ is a key like any other.
    return Object.fromEntries(entries)
  }

  const value = read(document.contents, [], 0)
  if (document.contents === null && problems.length === 0) problems.push(problem(0, [], 'The file is empty.'))
  return { value, problems, problemAt }
}

const startOf = (node: ParsedNode | null, otherwise: number): number => node?.range?.[0] ?? otherwise

/** `plans.pro.usagePrices.api_calls.tiers[0].upTo` */
const pathText = (path: Path): string =>
  path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? key : `${text}.${key}`),
    '',
  )

// Line breaks and tabs are for descriptions; other control characters and halves of characters are mistakes.
const isPlainText = (text: string): boolean =>
  text.isWellFormed() && ![...text].some((character) => character < ' ' && !'\n\t'.includes(character))

const sentenceOf = (message: string): string => {
  if (message.startsWith('Maximum call stack')) return `The file is nested deeper than ${depthMax} levels.`
  if (message.startsWith('Source contains multiple documents')) return 'A catalog is one document: remove this "---".'
  const first = message.split('\n')[0]!.trim()
  return `Not valid YAML: ${first.endsWith('.') ? first : `${first}.`}`
}

/**
 * The parser works recursively, so a file of brackets or dashes could exhaust the stack. Brackets in texts count too,
 * which is why the bound is far above what any catalog has.
 */
const deepAt = (source: string): number | null => {
  let depth = 0
  let lineStart = 0
  for (let at = 0; at < source.length; at++) {
    const character = source[at]
    if (character === '\n') {
      lineStart = at + 1
    } else if (character === '[' || character === '{') {
      if (++depth > 200) return at
    } else if (character === ']' || character === '}') {
      depth = Math.max(0, depth - 1)
    } else if ((character === '-' || character === '?' || character === ':') && at - lineStart > 400) {
      // `- - - -` on one line nests as well; a line of a catalog has no place for that many.
      if (/^(?:[-?:]\s+){100}/.test(source.slice(lineStart, at).trimStart())) return at
    }
  }
  return null
}
