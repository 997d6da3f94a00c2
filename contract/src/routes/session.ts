import { type RouteDefinition, route } from '../route.ts'
import { Whoami } from '../schemas/operator.ts'

/** Who is asking. */
export const sessionRoutes = {
  whoami: route({
    method: 'GET',
    path: '/session',
    summary: 'Who the credential is and what it may do',
    tag: 'Session',
    permission: null,
    tenancy: 'none',
    response: Whoami,
    problems: ['unauthenticated'],
  }),
} as const satisfies Record<string, RouteDefinition>
