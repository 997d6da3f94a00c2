import { formOf } from '@turnpike/contract'
import type { FieldError } from '../core/errors.ts'

/** What the validator says of one place. */
export type Issue = {
  instancePath?: string
  schemaPath?: string
  message?: string
  keyword?: string
  params?: Record<string, unknown>
}

/** The mistakes by field, in words that follow the field's name; at most 20. */
export const fieldErrors = (issues: readonly Issue[], context: string): FieldError[] => {
  const named = oneForEachChoice(issues).map((issue) => {
    const path = (issue.instancePath ?? '').slice(1).replaceAll('/', '.')
    const extra = issue.params?.additionalProperty ?? issue.params?.missingProperty ?? issue.params?.propertyName
    const field = [context === 'body' ? '' : context, path, typeof extra === 'string' ? extra : '']
      .filter((part) => part !== '')
      .join('.')
    return { field: field.slice(0, 200) || context, message: messageOf(issue) }
  })
  return [...new Map(named.map((error) => [`${error.field} ${error.message}`, error])).values()].slice(0, 20)
}

const isNull = ({ keyword, params }: Issue): boolean => keyword === 'type' && params?.type === 'null'

/**
 * A field that may be null is a choice of two, and the validator says of each choice why it was none, and then that none fits. What
 * was meant is not null: the reason of the other one is enough, with null beside it where the field itself is wrong.
 */
const oneForEachChoice = (issues: readonly Issue[]): Issue[] =>
  issues
    .filter(({ keyword }) => keyword === 'anyOf')
    .reduce<Issue[]>(
      (left, choice) => {
        const isInside = ({ schemaPath }: Issue) => schemaPath?.startsWith(`${choice.schemaPath}/`) ?? false
        const inside = left.filter(isInside)
        const meant = inside.filter((issue) => !(isNull(issue) && issue.instancePath === choice.instancePath))
        if (meant.length === inside.length || meant.length !== 1) return left
        const [issue] = meant
        const says = messageOf(issue!)
        const isOfField = issue!.instancePath === choice.instancePath && says.startsWith('must be ')
        const told: Issue = isOfField
          ? { instancePath: issue!.instancePath!, message: `${says}; or null for none` }
          : issue!
        return left.flatMap((each) => (each === choice ? [told] : isInside(each) ? [] : [each]))
      },
      [...issues],
    )

const typeWords: Record<string, string> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'null',
}
const formatWords: Record<string, string> = {
  'date-time': 'an instant of RFC 3339 with an offset, such as 2026-04-01T00:00:00Z',
  email: 'an e-mail address',
  uri: 'an address such as https://example.com/',
}

const messageOf = ({ keyword, params, message }: Issue): string => {
  if (keyword === 'additionalProperties') return 'is not a known field'
  if (keyword === 'required') return 'is missing'
  if (keyword === 'enum' && Array.isArray(params?.allowedValues))
    return `must be one of ${params.allowedValues.join(', ')}`
  if (keyword === 'pattern') {
    const form = formOf(String(params?.pattern))
    return form === null ? 'contains characters that are not allowed here, or has the wrong form' : `must be ${form}`
  }
  if (keyword === 'type') {
    const types = [params?.type].flat().map((type) => typeWords[String(type)] ?? String(type))
    return `must be ${types.join(' or ')}`
  }
  const format = keyword === 'format' ? formatWords[String(params?.format)] : undefined
  if (format !== undefined) return `must be ${format}`
  if (keyword === 'anyOf') return 'has none of the forms that are allowed here'
  return message ?? 'does not fit'
}
