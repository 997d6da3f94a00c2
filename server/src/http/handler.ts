import type { BodyOf, DataOf, ParamsOf, QueryOf, RouteName, Routes } from '@turnpike/contract'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CatalogChangeDeps } from '../flows/apply-catalog.ts'
import type { CheckDeps } from '../flows/check-entitlements.ts'
import type { PushCatalogDeps } from '../flows/push-catalog.ts'
import type { WebhookIntake } from '../flows/receive-webhook.ts'
import type { RefusedWebhooks } from '../flows/steps/record-refused-webhooks.ts'
import type { Credential } from '../modules/access/index.ts'
import type { Actor } from '../platform/audit.ts'
import type { Listener } from '../platform/notify.ts'

export type HttpDeps = CheckDeps &
  PushCatalogDeps &
  CatalogChangeDeps & {
    intake: WebhookIntake
    refusedWebhooks: RefusedWebhooks
    listener: Listener
    /** The name of the event feed of this database. */
    feedId: string
    demo: boolean
    environment: string
    stopping: AbortSignal
  }

type TenantOf<R> = R extends { tenancy: 'tenant' }
  ? string
  : R extends { tenancy: 'tenant_or_house' }
    ? string | null
    : undefined

/** What a handler gets: everything checked already but the ownership of the object in the path. */
export type Context<K extends RouteName> = {
  deps: HttpDeps
  credential: Credential
  actor: Actor
  requestId: string
  tenantId: TenantOf<Routes[K]>
  params: ParamsOf<Routes[K]>
  query: QueryOf<Routes[K]>
  body: BodyOf<Routes[K]>
  idempotencyKey: string | null
  /** Passes for the tenant's own credentials and the house's; everybody else sees nothing there. */
  own(tenantId: string | null | undefined): Promise<void>
  request: FastifyRequest
  reply: FastifyReply
}

type Answer<R extends Routes[RouteName]> = R extends { kind: 'list' }
  ? { data: DataOf<R>; cursor: string | null }
  : R extends { kind: 'stream' | 'download' }
    ? undefined
    : DataOf<R>

export type Handler<K extends RouteName> = (context: Context<K>) => Promise<Answer<Routes[K]>> | Answer<Routes[K]>
export type Handlers<K extends RouteName = RouteName> = { [N in K]: Handler<N> }

/** Cursors are opaque outside: base64url of JSON. Null for text that is none. */
export const encodeCursor = (place: unknown): string => Buffer.from(JSON.stringify(place)).toString('base64url')
export const decodeCursor = <T>(cursor: string | undefined, isPlace: (value: unknown) => value is T): T | null => {
  if (cursor === undefined) return null
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    return isPlace(place) ? place : null
  } catch {
    return null
  }
}
