import { Type } from 'typebox'
import { type RouteDefinition, route } from '../route.ts'
import { Page, strict } from '../schemas/common.ts'
import { EventEnvelope, FeedQuery, GatewaySnapshot } from '../schemas/event.ts'

/** The feed and the gateway replica. */
export const eventsRoutes = {
  listEvents: route({
    method: 'GET',
    path: '/events',
    summary: 'The event feed after a position',
    tag: 'Events',
    permission: 'billing:events:read',
    tenancy: 'tenant_or_house',
    kind: 'list',
    query: FeedQuery,
    response: Type.Array(EventEnvelope),
  }),

  streamEvents: route({
    method: 'GET',
    path: '/events/stream',
    summary: 'The event feed as a server-sent stream',
    description: '`Last-Event-ID` or `after` says where to go on; the id of each message is its position.',
    tag: 'Events',
    permission: 'billing:events:read',
    tenancy: 'tenant_or_house',
    kind: 'stream',
    query: FeedQuery,
    response: EventEnvelope,
  }),

  getGatewaySnapshot: route({
    method: 'GET',
    path: '/gateway/snapshot',
    summary: 'Budgets and routing policies for a replica to begin with',
    tag: 'Gateway',
    permission: 'billing:gateway:read',
    tenancy: 'house',
    query: strict({ ...Page }),
    response: GatewaySnapshot,
  }),
} as const satisfies Record<string, RouteDefinition>
