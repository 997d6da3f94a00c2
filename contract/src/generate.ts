import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CatalogFile } from './catalog-file.ts'
import { eventTypes } from './events.ts'
import { openApiDocument } from './openapi.ts'
import { may, permissions, roleNames, roles } from './permissions.ts'
import { problems } from './problems.ts'
import { routes } from './routes.ts'
import { apiVersion } from './version.ts'

/** Writes the generated references, or with `--check` says which are stale and exits with 1. */
const referenceDir = fileURLToPath(new URL('../../docs/reference', import.meta.url))
const generated = '<!-- Generated from contract/ by `npm run generate`. Do not edit. -->'
const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

const asyncApi = () => ({
  asyncapi: '3.0.0',
  info: {
    title: 'Turnpike events',
    version: apiVersion,
    description: 'Domain events in CloudEvents envelopes: `GET /api/v1/events` and `GET /api/v1/events/stream`.',
  },
  defaultContentType: 'application/json',
  channels: {
    feed: {
      address: '/api/v1/events/stream',
      messages: Object.fromEntries(
        Object.keys(eventTypes).map((type) => [type, { $ref: `#/components/messages/${type}` }]),
      ),
    },
  },
  operations: { readFeed: { action: 'receive', channel: { $ref: '#/channels/feed' } } },
  components: {
    messages: Object.fromEntries(
      Object.entries(eventTypes).map(([type, { meaning, data }]) => [
        type,
        { name: type, summary: meaning, payload: data },
      ]),
    ),
  },
})

const rbacMatrix = () =>
  [
    generated,
    '# Roles and permissions',
    'Roles of a tenant are always bound to their tenant. Roles of the house may be bound to one tenant or to none.',
    table(
      ['Role', 'Holder', 'Meaning'],
      roleNames.map((role) => [`\`${role}\``, roles[role].holder, roles[role].meaning]),
    ),
    '## Permissions',
    table(
      ['Permission', 'Meaning', ...roleNames],
      Object.entries(permissions).map(([name, meaning]) => [
        `\`${name}\``,
        meaning,
        ...roleNames.map((role) => (may(role, name as keyof typeof permissions) ? 'yes' : '')),
      ]),
    ),
    '## Routes',
    table(
      ['Route', 'Permission', 'Tenancy'],
      Object.values(routes).map((route) => [
        `\`${route.method} ${route.path}\``,
        route.permission ? `\`${route.permission}\`` : 'any credential, or none where the route says so',
        route.tenancy,
      ]),
    ),
    '',
  ].join('\n\n')

const problemReference = () =>
  [
    generated,
    '# Problems',
    'Every failure has a stable `code`. `retry`: `never`, `later` (the same request may succeed) or `after_change`.',
    table(
      ['Code', 'Status', 'Meaning', 'What to do', 'Retry'],
      Object.entries(problems).map(([code, problem]) => [
        `\`${code}\``,
        String(problem.status),
        problem.detail,
        problem.next,
        problem.retry,
      ]),
    ),
    '',
  ].join('\n\n')

const eventReference = () =>
  [
    generated,
    '# Events',
    'CloudEvents envelopes with a sequence per customer, without gaps. The schemas are in `asyncapi.json`.',
    table(
      ['Type', 'Meaning', 'Data'],
      Object.entries(eventTypes).map(([type, { meaning, data }]) => [
        `\`${type}\``,
        meaning,
        Object.keys(data.properties)
          .map((name) => `\`${name}\``)
          .join(', '),
      ]),
    ),
    '',
  ].join('\n\n')

const files: Record<string, string> = {
  'openapi.json': json(openApiDocument()),
  'asyncapi.json': json(asyncApi()),
  'catalog.schema.json': json({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...CatalogFile }),
  'rbac-matrix.md': rbacMatrix(),
  'problems.md': problemReference(),
  'events.md': eventReference(),
}

const read = (file: string): string | null => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

const stale = Object.entries(files).filter(([name, content]) => read(join(referenceDir, name)) !== content)
if (process.argv.includes('--check')) {
  for (const [name] of stale) console.error(`docs/reference/${name} is stale: run \`npm run generate\``)
  process.exitCode = stale.length > 0 ? 1 : 0
} else {
  mkdirSync(referenceDir, { recursive: true })
  for (const [name, content] of stale) writeFileSync(join(referenceDir, name), content)
  console.log(stale.length === 0 ? 'docs/reference is up to date' : `wrote ${stale.map(([name]) => name).join(', ')}`)
}
