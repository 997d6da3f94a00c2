type Markup = { readonly markup: string }
export type Content = Markup | string | number | bigint | false | null | undefined | readonly Content[]

// Everything that is interpolated is escaped; only the result of another `html` template passes as it is.
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  let markup = strings[0]!
  for (const [index, value] of values.entries()) {
    // An attribute without quotes could be left by a space in the value, so the template refuses to be written like that.
    if (strings[index]!.endsWith('=')) throw new TypeError('Quote the attribute before the interpolated value')
    markup += render(value) + strings[index + 1]!
  }
  return { markup }
}

function render(value: Content): string {
  if (value === null || value === undefined || value === false) return ''
  if (typeof value === 'object') return 'markup' in value ? value.markup : value.map(render).join('')
  return escapeText(String(value))
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]!)
}

// Return addresses come from the API caller and may use an app's own scheme; the ones that run code are refused.
export function safeUrl(url: string): string {
  // Browsers drop control characters and leading blanks before they read the scheme.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are exactly what is removed
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url.replace(/[\u0000-\u0020]/g, ''))?.[1]?.toLowerCase()
  return scheme !== undefined && ['javascript', 'data', 'vbscript', 'blob', 'file'].includes(scheme) ? '#' : url
}
