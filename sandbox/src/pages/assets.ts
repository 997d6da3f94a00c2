import { readFile } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'

const files = [
  ['style.css', 'text/css; charset=utf-8'],
  ['enhance.js', 'text/javascript; charset=utf-8'],
  ['icon.svg', 'image/svg+xml'],
] as const

export function registerAssets(app: FastifyInstance): void {
  for (const [name, type] of files) {
    app.get(`/_pages/${name}`, async (_request, reply) =>
      reply
        .header('content-type', type)
        .header('cache-control', 'no-cache')
        .header('x-content-type-options', 'nosniff')
        .send(await readFile(new URL(`assets/${name}`, import.meta.url))),
    )
  }
}
