import { posix } from 'node:path'

/** A source file of the house: its path from the root of the repository, and its text. */
export type SourceFile = { path: string; text: string }

/** Which modules a module may import, besides core, platform and the contract. */
const moduleImports: Record<string, readonly string[]> = {
  access: [],
  catalog: [],
  customers: [],
  privacy: [],
  kpi: [],
  notices: [],
  imports: [],
  identity: ['customers'],
  payments: ['customers'],
  usage: ['catalog', 'customers'],
  subscriptions: ['catalog', 'customers'],
  commands: ['catalog', 'subscriptions', 'payments'],
  entitlements: ['catalog', 'customers', 'subscriptions', 'usage'],
  rating: ['catalog', 'usage'],
  ledger: ['catalog', 'customers'],
  budgets: [],
  periods: ['catalog', 'rating'],
  invoices: ['customers', 'rating', 'subscriptions', 'payments'],
  refunds: ['catalog', 'invoices', 'payments'],
  downgrades: ['catalog', 'entitlements'],
  dunning: ['catalog', 'subscriptions', 'invoices'],
  reconciliation: ['subscriptions', 'invoices', 'payments', 'refunds'],
}

/** From left to right; nothing imports to its right. The edges do not know each other. */
const layers = ['core', 'platform', 'modules', 'providers', 'flows', 'http', 'worker'] as const
type Layer = (typeof layers)[number]
const rank: Record<Layer, number> = { core: 0, platform: 1, modules: 2, providers: 3, flows: 4, http: 5, worker: 5 }

/** Workspaces and the packages of the house that each may import. */
const workspaceImports: Record<string, readonly string[]> = {
  contract: [],
  sandbox: [],
  client: ['@turnpike/contract'],
  server: ['@turnpike/contract'],
}

const server = 'server/src/'
const roots = new Set([`${server}app.ts`, `${server}main.ts`])
// Reads settings for config.ts, and asks the rules of the parts that they are for.
const settings = new Set([`${server}config-notices.ts`])
const readsEnvironment = new Set([`${server}config.ts`, `${server}main.ts`])
const knowsTheProvider = new Set([`${server}app.ts`, `${server}config.ts`])

/** Every breach of the import rules, one sentence each; tests are not looked at, they may reach everywhere. */
export const findBreaches = (files: readonly SourceFile[]): string[] =>
  files
    .filter(({ path }) => !/\.test\.tsx?$/.test(path))
    .flatMap(({ path, text }) => {
      const code = withoutComments(text)
      return [
        ...importsOf(code).flatMap((specifier) => importBreaches(path, specifier)),
        ...(path.startsWith(server) ? contentBreaches(path, code) : []),
      ].map((sentence) => `${path}: ${sentence}`)
    })

// Strings stay whole, so that `https://` in one of them is not taken for a comment.
const withoutComments = (text: string): string =>
  text.replace(
    /('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")|\/\*[\s\S]*?\*\/|\/\/.*$/gm,
    (_, kept: string | undefined) => kept ?? ' ',
  )

const importsOf = (code: string): string[] =>
  [...code.matchAll(/(?:\bfrom|\bimport|\bimport\s*\(|\brequire\s*\()\s*['"]([^'"]+)['"]/g)].map((match) => match[1]!)

const importBreaches = (path: string, specifier: string): string[] => {
  const workspace = path.split('/')[0]!
  const allowed = workspaceImports[workspace]
  if (specifier.startsWith('@turnpike/')) {
    const name = specifier.split('/').slice(0, 2).join('/')
    return allowed && !allowed.includes(name) && name !== `@turnpike/${workspace}` ? [`may not import ${name}`] : []
  }
  if (specifier === 'stripe' || specifier.startsWith('stripe/'))
    return path.startsWith(server) && !path.startsWith(`${server}providers/stripe/`)
      ? ['imports the SDK of Stripe outside providers/stripe']
      : []
  if (!specifier.startsWith('.')) return []
  const target = posix.normalize(posix.join(posix.dirname(path), specifier))
  if (!target.startsWith(`${workspace}/`)) return [`reaches into ${target.split('/')[0]} by a path`]
  return path.startsWith(server) && target.startsWith(server) ? serverImportBreaches(path, target) : []
}

const placeOf = (path: string): { layer: Layer | null; module: string | null } => {
  const [first, second] = path.slice(server.length).split('/')
  const layer = layers.find((known) => known === first) ?? null
  return { layer, module: layer === 'modules' ? second! : null }
}

const serverImportBreaches = (path: string, target: string): string[] => {
  if (roots.has(path)) return []
  if (roots.has(target)) return ['imports the composition root']
  if (settings.has(path)) return []
  if (target === `${server}config.ts`) return ['imports config.ts: settings are handed in by the composition root']
  const [from, to] = [placeOf(path), placeOf(target)]
  if (from.layer === null || to.layer === null) return from.layer === to.layer ? [] : [`${target} is in no layer`]
  const breaches: string[] = []
  if (rank[to.layer] > rank[from.layer] || (rank[to.layer] === 5 && to.layer !== from.layer))
    breaches.push(`${from.layer} may not import ${to.layer} (${target})`)
  if (to.module !== null && to.module !== from.module) {
    if (!target.endsWith(`/modules/${to.module}/index.ts`)) breaches.push(`imports ${target} past its index.ts`)
    if (from.module !== null) {
      const allowed = moduleImports[from.module]
      if (!allowed) breaches.push(`the module ${from.module} is not in the table of modules`)
      else if (!allowed.includes(to.module)) breaches.push(`the module ${from.module} may not import ${to.module}`)
    }
  }
  return breaches
}

const contentBreaches = (path: string, code: string): string[] => {
  const breaches: string[] = []
  const forbid = (pattern: RegExp, allowed: boolean, sentence: string) => {
    if (!allowed && pattern.test(code)) breaches.push(sentence)
  }
  const { layer, module } = placeOf(path)
  forbid(
    /\bsql`|\b(?:query|queryOne|queryPrepared)\s*(?:<[^()]*>)?\s*\(|\.query\s*\(/,
    layer === 'platform' || (module !== null && path.endsWith('/store.ts')),
    'has SQL, which belongs into the store.ts of a module or into platform',
  )
  forbid(
    /\bTemporal\.Now\b|\bDate\.now\b|\bnew Date\(\s*\)|\bprocess\.hrtime\b|\bperformance\.now\b/,
    path === `${server}platform/clock.ts`,
    'reads the time: take `at` or a Clock',
  )
  forbid(/\bprocess\s*(?:\.\s*env\b|\[)/, readsEnvironment.has(path), 'reads the environment outside config.ts')
  forbid(
    /stripe/i,
    path.startsWith(`${server}providers/stripe/`) || knowsTheProvider.has(path),
    'speaks of Stripe outside providers/stripe',
  )
  forbid(/^\s*(?:export\s+)?(?:default\s+)?(?:abstract\s+)?class\s/m, path === `${server}core/errors.ts`, 'has a class')
  if (layer === 'modules' && posix.basename(path) === 'service.ts')
    breaches.push('is a service.ts: name it by its verb')
  return breaches
}
