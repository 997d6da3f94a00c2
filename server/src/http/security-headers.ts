import helmet from '@fastify/helmet'
import Fastify from 'fastify'

/**
 * The security headers of pages. Helmet would work them out for every answer, which costs more than answering a check; they
 * are the same for all, so one answer is made and its headers are kept.
 */
export const pageHeaders = async (): Promise<Record<string, string>> => {
  const probe = Fastify()
  await probe.register(helmet, {
    contentSecurityPolicy: {
      directives: {
        defaultSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        upgradeInsecureRequests: null,
      },
    },
    crossOriginEmbedderPolicy: false,
    strictTransportSecurity: false,
  })
  const without = await Fastify().inject('/')
  const { headers } = await probe.inject('/')
  await probe.close()
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (name in without.headers ? [] : [[name, String(value)]])),
  )
}

/** What protects answers of the API, which are data and never a page: nothing runs, frames, guesses or keeps them. */
export const apiHeaders: Record<string, string> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
}
