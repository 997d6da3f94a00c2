const token =
  /\s*(?:(?<text>r?"(?:[^"\\\n]|\\.)*"|r?'(?:[^'\\\n]|\\.)*')|(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?u?)|(?<name>[A-Za-z_]\w*)|(?<sign>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:,.()[\]{}]))/y
const roots = new Set(['request', 'budget', 'tenant'])
const words = new Set(['true', 'false', 'null', 'in'])
const functions = new Set([
  'size',
  'has',
  'int',
  'uint',
  'double',
  'string',
  'bool',
  'bytes',
  'type',
  'dyn',
  'matches',
  'timestamp',
  'duration',
])
const closing: Record<string, string> = { '(': ')', '[': ']', '{': '}' }
const operators = new Set([
  '&&',
  '||',
  '==',
  '!=',
  '<=',
  '>=',
  '+',
  '-',
  '*',
  '/',
  '%',
  '<',
  '>',
  '!',
  '?',
  ':',
  ',',
  '.',
  'in',
])

/**
 * What is visibly wrong with a match expression in CEL, as a sentence; null when nothing is. A shallow look: characters,
 * brackets, operators and the names that a gateway knows. The gateway's own library compiles it.
 */
export const checkExpression = (expression: string): string | null => {
  const open: string[] = []
  const bound = new Set<string>()
  let before = ''
  let at = 0
  while (expression.slice(at).trim() !== '') {
    token.lastIndex = at
    const match = token.exec(expression)
    if (!match) return unreadable(expression.slice(at).trimStart())
    at = token.lastIndex
    const { text, number, name, sign } = match.groups!
    const operand = text ?? number ?? (name !== undefined && name !== 'in' ? name : undefined)
    if (operand !== undefined) {
      if (isOperandEnd(before)) return wordAsOperator(name) ?? `An operator is missing before ${operand}.`
      if (name !== undefined && before !== '.' && !words.has(name) && !roots.has(name) && !bound.has(name)) {
        const called = /^\s*\(/.test(expression.slice(at))
        if (called ? !functions.has(name) : !isField(expression, at, open))
          return called
            ? `"${name}" is no function that a match expression may call.`
            : `"${name}" is not known: an expression reads request, budget and tenant.`
      }
      const macro = before === '.' && /^(?:all|exists|exists_one|map|filter)$/.test(name ?? '')
      const variable = macro ? /^\s*\(\s*([A-Za-z_]\w*)\s*,/.exec(expression.slice(at))?.[1] : undefined
      if (variable) bound.add(variable)
      before = operand
      continue
    }
    const symbol = sign ?? 'in'
    if (symbol in closing) {
      if (symbol === '{' && isOperandEnd(before)) return '"{" is not expected there.'
      open.push(symbol)
    } else if (Object.values(closing).includes(symbol)) {
      const opened = open.pop()
      if (opened === undefined || closing[opened] !== symbol) return `"${symbol}" closes nothing.`
      if (operators.has(before) && before !== ',') return `Something is missing after "${before}".`
      if (symbol === ')' && before === '(' && !/\w\s*\(\s*\)$/.test(expression.slice(0, at)))
        return 'The brackets are empty.'
    } else if (symbol !== '!' && symbol !== '-' && !isOperandEnd(before)) {
      return `Something is missing before "${symbol}".`
    }
    before = symbol
  }
  if (open.length > 0) return `"${open.at(-1)}" is never closed.`
  if (operators.has(before)) return `Something is missing after "${before}".`
  return before === '' ? 'The expression is empty.' : null
}

// A name before a colon is the key of a map, and only there.
const isField = (expression: string, at: number, open: string[]): boolean =>
  open.at(-1) === '{' && /^\s*:/.test(expression.slice(at))

const isOperandEnd = (before: string): boolean => before !== '' && !operators.has(before) && !(before in closing)

const wordAsOperator = (name: string | undefined): string | null => {
  if (name === 'and') return 'Write "&&", not "and".'
  if (name === 'or') return 'Write "||", not "or".'
  return null
}

const unreadable = (rest: string): string => {
  if (rest.startsWith('=')) return 'Write "==", not "=".'
  if (rest.startsWith('"') || rest.startsWith("'")) return 'A text is never closed.'
  return `"${rest[0]}" means nothing in an expression.`
}
