import { type Static, Type } from 'typebox'
import { roleNames } from '../permissions.ts'
import { Cursor, Id, Instant, Nullable, Page, strict, TenantId, Text } from './common.ts'

export const inboxStates = ['pending', 'applied', 'ignored', 'retrying', 'dead'] as const
/** One webhook in the inbox: the minimum of its payload (WEB-5). */
export const InboxEntry = strict({
  id: Type.String(),
  provider: Type.String(),
  eventId: Type.String(),
  type: Type.String(),
  objectId: Nullable(Type.String()),
  providerCustomerId: Nullable(Type.String()),
  tenantId: Nullable(TenantId),
  state: Type.Enum(inboxStates),
  outcome: Nullable(Type.String()),
  attempts: Type.Integer(),
  deliveries: Type.Integer(),
  receivedAt: Instant,
  appliedAt: Nullable(Instant),
  nextAttemptAt: Nullable(Instant),
  lastError: Nullable(Type.String()),
  traceId: Nullable(Type.String()),
})
export type InboxEntry = Static<typeof InboxEntry>
/** One webhook with what went wrong at each try. */
export const InboxDetail = strict({
  ...InboxEntry.properties,
  eventAt: Nullable(Instant),
  correlationId: Nullable(Type.String()),
  holds: Type.Integer({
    description: 'How often it waited for a provider that did not answer; that costs no attempt.',
  }),
  errors: Type.Array(strict({ at: Instant, error: Type.String(), held: Type.Boolean() })),
})
export type InboxDetail = Static<typeof InboxDetail>
/** Which webhooks to work on once more; at least one of the first four. */
export const WebhookReplay = strict(
  {
    objectId: Type.Optional(
      Type.String({ pattern: '^[\\x21-\\x7e]{1,255}$', description: 'The provider’s id of the object.' }),
    ),
    tenantId: Type.Optional(TenantId),
    from: Type.Optional(Instant),
    to: Type.Optional(Instant),
    states: Type.Optional(
      Type.Array(Type.Enum(inboxStates), {
        minItems: 1,
        maxItems: 5,
        uniqueItems: true,
        description: '`dead` unless told; with `objectId` every state. One that is pending is never replayed.',
      }),
    ),
    dryRun: Type.Optional(Type.Boolean({ description: 'Only count.' })),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 5_000, description: 'How many in this part; 2,000 unless told.' }),
    ),
    cursor: Type.Optional(Cursor),
  },
  { minProperties: 1 },
)
export type WebhookReplay = Static<typeof WebhookReplay>
export const WebhookReplayResult = strict({
  dryRun: Type.Boolean(),
  /** How many there were of each state. */
  webhooks: Type.Record(Type.String(), Type.Integer()),
  total: Type.Integer(),
  cursor: Nullable(Type.String({ description: 'Send it to go on; null when these were all.' })),
})
export type WebhookReplayResult = Static<typeof WebhookReplayResult>
export const InboxQuery = strict({
  ...Page,
  state: Type.Optional(Type.Enum(inboxStates)),
  tenantId: Type.Optional(TenantId),
})
export const InboxParams = strict({ webhookId: Type.String({ maxLength: 120 }) })
export const InboxCounts = strict({
  counts: Type.Record(Type.String(), Type.Integer()),
  oldestPendingAt: Nullable(Instant),
})

export const AuditEntry = strict({
  id: Type.String(),
  at: Instant,
  tenantId: Nullable(TenantId),
  actor: Type.String(),
  actorKind: Type.Enum(['key', 'person', 'provider', 'system', 'anonymous']),
  action: Type.String(),
  object: Nullable(Type.String()),
  result: Type.Enum(['allowed', 'denied']),
  before: Nullable(Type.Record(Type.String(), Type.Unknown())),
  after: Nullable(Type.Record(Type.String(), Type.Unknown())),
  reason: Nullable(Type.String()),
  requestId: Nullable(Type.String()),
})
export type AuditEntry = Static<typeof AuditEntry>
export const AuditQuery = strict({
  ...Page,
  tenantId: Type.Optional(TenantId),
  result: Type.Optional(Type.Enum(['allowed', 'denied'])),
  action: Type.Optional(Text(100)),
})

export const ApiKey = strict({
  id: Id('key'),
  name: Type.String(),
  role: Type.Enum(roleNames),
  tenantId: Nullable(TenantId),
  permissions: Nullable(Type.Array(Type.String())),
  prefix: Type.String(),
  createdAt: Instant,
  expiresAt: Nullable(Instant),
  revokedAt: Nullable(Instant),
  lastUsedAt: Nullable(Instant),
})
export type ApiKey = Static<typeof ApiKey>
export const ApiKeyCreate = strict({
  name: Text(100),
  role: Type.Enum(roleNames),
  tenantId: Type.Optional(Nullable(TenantId)),
  /** A narrower set than the role's; never wider. */
  permissions: Type.Optional(
    Type.Array(Type.String({ maxLength: 100 }), { minItems: 1, maxItems: 50, uniqueItems: true }),
  ),
  expiresAt: Type.Optional(Nullable(Instant)),
})
/** The secret is in this answer and nowhere else. */
export const ApiKeyCreated = strict({ key: Type.String(), ...ApiKey.properties })
export const ApiKeyParams = strict({ keyId: Type.String({ maxLength: 120 }) })

export const Whoami = strict({
  actor: Type.String(),
  name: Type.String(),
  role: Type.Enum(roleNames),
  tenantId: Nullable(TenantId),
  permissions: Type.Array(Type.String()),
  demo: Type.Boolean(),
  environment: Type.String(),
  now: Instant,
})
export type Whoami = Static<typeof Whoami>
