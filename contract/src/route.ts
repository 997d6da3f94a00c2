import type { Static, TSchema } from 'typebox'
import type { Permission } from './permissions.ts'
import type { ProblemCode } from './problems.ts'

/** Whose data a route touches, and where the tenant is named. The server resolves it before the handler runs. */
type Tenancy =
  /** The tenant is that of the credential, or `tenantId` in query or body for a credential of the whole house. */
  | 'tenant'
  /** As `tenant`, but a credential of the whole house that names none means all of them. */
  | 'tenant_or_house'
  /** The object in the path belongs to a tenant; another tenant's object answers as not found. */
  | 'object'
  /** The whole house: only credentials that are not bound to a tenant. */
  | 'house'
  /** Nobody's data: any valid credential. */
  | 'none'

export type RouteDefinition = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below `/api/v1`, parameters in OpenAPI form: `/customers/{customerId}`. */
  path: string
  summary: string
  description?: string
  tag: string
  /** `null`: no credential needed (the webhook intake, which has its own signature). */
  permission: Permission | null
  tenancy: Tenancy
  params?: TSchema
  query?: TSchema
  body?: TSchema
  status?: 200 | 201 | 202
  /** May also answer 202: agreed to, and done later. */
  mayBeQueued?: true
  /** The shape of `data` in the success envelope. */
  response: TSchema
  /** `list`: `meta.cursor` is the place to go on from, `null` at the end; the event feed never ends. `stream`: server-sent events. `download`: a file, not JSON. */
  kind?: 'item' | 'list' | 'stream' | 'download'
  /** `none`: the address itself is the proof, so that no credential is read. */
  credential?: 'none'
  problems?: readonly ProblemCode[]
  /** Largest body in bytes, when it differs from the server's default of 256 KiB. */
  bodyLimit?: number
}

/** Keeps the literal types of one route. */
export const route = <const R extends RouteDefinition>(definition: R): R => definition

type Shape<S> = S extends TSchema ? Static<S> : undefined
export type ParamsOf<R extends RouteDefinition> = Shape<R['params']>
export type QueryOf<R extends RouteDefinition> = Shape<R['query']>
export type BodyOf<R extends RouteDefinition> = Shape<R['body']>
export type DataOf<R extends RouteDefinition> = Static<R['response']>
