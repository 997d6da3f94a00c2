import type { FastifyInstance } from 'fastify'

/** Everything that one running sandbox consists of. */
export type World = {
  /** Base address without a trailing slash. */
  url: string
  app: FastifyInstance
}
