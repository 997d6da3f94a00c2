export type Form = string | Form[] | { [key: string]: Form }

// No client can send this character inside a key, because it ends the pair.
const appendedMark = '&'

/**
 * Decodes `a[b][0]=x&c[]=y&d=z` into nested values. Brackets may be percent-encoded, spaces may come as `+`.
 * Objects whose keys are all indices become lists, in the order of their indices.
 */
export function decodeForm(text: string): { [key: string]: Form } {
  const root: { [key: string]: Form } = Object.create(null)
  let appended = 0
  for (const pair of text.split('&')) {
    if (pair === '') continue
    const at = pair.indexOf('=')
    const name = unescapeText(at < 0 ? pair : pair.slice(0, at))
    const value = at < 0 ? '' : unescapeText(pair.slice(at + 1))
    const path = pathOf(name)
    let node = root
    for (const key of path.slice(0, -1)) {
      const next = node[key]
      if (typeof next === 'object' && !Array.isArray(next)) node = next
      else {
        const created: { [key: string]: Form } = Object.create(null)
        node[key] = created
        node = created
      }
    }
    const last = path.at(-1)!
    node[last === '' ? `${appendedMark}${appended++}` : last] = value
  }
  return listsIn(root) as { [key: string]: Form }
}

function pathOf(name: string): string[] {
  const open = name.indexOf('[')
  if (open < 0) return [name]
  const keys = name
    .slice(open + 1)
    .replace(/\]$/, '')
    .split('][')
  return [name.slice(0, open), ...keys]
}

// `a[]=1&a[]=2` has no indices: each gets a marked key, so that their order is kept.
function listsIn(node: Form): Form {
  if (typeof node === 'string' || Array.isArray(node)) return node
  const keys = Object.keys(node)
  for (const key of keys) node[key] = listsIn(node[key]!)
  if (keys.length > 0 && keys.every((key) => /^\d+$/.test(key) || key.startsWith(appendedMark))) {
    const indexed = keys.filter((key) => !key.startsWith(appendedMark)).sort((a, b) => Number(a) - Number(b))
    const appended = keys.filter((key) => key.startsWith(appendedMark))
    return [...indexed, ...appended].map((key) => node[key]!)
  }
  return node
}

function unescapeText(text: string): string {
  const spaced = text.replaceAll('+', ' ')
  try {
    return decodeURIComponent(spaced)
  } catch {
    return spaced
  }
}
