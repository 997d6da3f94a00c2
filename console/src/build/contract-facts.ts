import * as contract from '@turnpike/contract'
import type { Plugin } from 'vite'

/**
 * Gives the browser the facts of the contract (addresses, problems, words) without its schemas: the server validates,
 * and the schema library would cost the first page a quarter of its weight.
 */
export function contractFacts(): Plugin {
  const id = '\0contract-facts'
  return {
    name: 'contract-facts',
    enforce: 'pre',
    resolveId: (source) => (source === '@turnpike/contract' ? id : null),
    load: (wanted) => (wanted === id ? factsModule() : null),
  }
}

function factsModule(): string {
  const lines = Object.entries(contract).flatMap(([name, value]) => {
    if (name === 'routes') return [`export const routes = ${JSON.stringify(addresses())}`]
    if (typeof value === 'function' || name === 'eventTypes' || isSchema(value)) return []
    return [`export const ${name} = ${JSON.stringify(value)}`]
  })
  return lines.join('\n')
}

const isSchema = (value: unknown): boolean => typeof value === 'object' && value !== null && '~kind' in value

function addresses() {
  return Object.fromEntries(
    Object.entries(contract.routes).map(([name, { method, path, ...rest }]) => [
      name,
      { method, path, ...('kind' in rest ? { kind: rest.kind } : {}), ...presence(rest) },
    ]),
  )
}

/** Whether there are parameters, and how they are called: all that a client needs to build a request. */
function presence(route: object): Record<string, unknown> {
  return Object.fromEntries(
    (['params', 'query', 'body'] as const).flatMap((part) => {
      const schema = (route as Record<string, { properties?: object } | undefined>)[part]
      return schema
        ? [[part, { properties: Object.fromEntries(Object.keys(schema.properties ?? {}).map((key) => [key, {}])) }]]
        : []
    }),
  )
}
