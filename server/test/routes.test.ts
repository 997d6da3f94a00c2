import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import {
  apiPrefix,
  may,
  type Permission,
  type ProblemCode,
  problems,
  type Role,
  type RouteDefinition,
  type RouteName,
  roleNames,
  roles,
  routes,
} from '@turnpike/contract'
import { Ajv, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import pg from 'pg'
import type { TSchema } from 'typebox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256 } from '../src/core/canonical.ts'
import { newId } from '../src/core/ids.ts'
import { saveOwner } from '../src/modules/customers/index.ts'
import { saveInvoice } from '../src/modules/invoices/index.ts'
import { insertPurchase } from '../src/modules/payments/index.ts'
import { saveFinding } from '../src/modules/reconciliation/index.ts'
import { saveSubscription } from '../src/modules/subscriptions/index.ts'
import { systemClock } from '../src/platform/clock.ts'
import { query, sql, transact } from '../src/platform/db.ts'
import { storeWebhooks } from '../src/platform/inbox.ts'
import { type MailServer, startMailServer } from './support/mail-server.ts'
import { subscribed } from './support/story.ts'
import { eventually, startWorld, type World, webhookSecret } from './support/world.ts'

/**
 * Walks the route table, so that no route can be forgotten: what strangers, the wrong people and broken requests get, and
 * that every success has the shape that the contract promises.
 */
const names = Object.keys(routes) as RouteName[]
const owner = 'tenant-of-ana-4711'
const other = 'tenant-of-bob-0815'
const unknown = 'tenant-of-nobody-1'
const acme = readFileSync('catalog/acme.yaml', 'utf8')

const importText = 'at,meter,quantity\n2026-01-01T00:00:00Z,api_calls,1\n'
const importOf = (name: string) => ({
  name,
  format: 'csv' as const,
  size: Buffer.byteLength(importText),
  sha256: sha256(importText).toString('hex'),
})

/** The application cannot write archives: its owner does. */
const plantArchive = async (tenantId: string, windowStart: string): Promise<void> => {
  const client = new pg.Client(world.database.url)
  await client.connect()
  await client.query(
    `insert into usage_archives values ($1, 'tokens', $2, 1, 0, 0, $2, $2, '{}', 'none', '[]', $2) on conflict do nothing`,
    [tenantId, windowStart],
  )
  await client.end()
}

type Example = { params?: Record<string, string>; query?: Record<string, string>; body?: unknown }
type Ids = Record<
  | 'customer'
  | 'import'
  | 'run'
  | 'repairedFinding'
  | 'openFinding'
  | 'otherFinding'
  | 'override'
  | 'checkout'
  | 'subscription'
  | 'webhook'
  | 'key'
  | 'request'
  | 'secondRequest'
  | 'notice'
  | 'transfer'
  | 'invoice'
  | 'credit'
  | 'creditRequest'
  | 'secondCreditRequest'
  | 'refund'
  | 'secondRefund'
  | 'creditNote'
  | 'secondCreditNote'
  | 'reservation'
  | 'secondReservation',
  string
>

let world: World
let ids: Ids
const keys = new Map<string, string>()

/** A request of each route that succeeds for a credential of the house, about the tenant `tenantId` or its objects. */
const examples: { [N in RouteName]: (tenantId: string, own: Ids) => Example | Promise<Example> } = {
  whoami: () => ({}),
  createUsageImport: (tenantId) => ({ body: { tenantId, ...importOf(newId('request')) } }),
  sendUsageImport: (_, own) => ({ params: { importId: own.import }, body: { offset: 0, text: importText } }),
  getUsageImport: (_, own) => ({ params: { importId: own.import } }),
  listUsageImports: (tenantId) => ({ query: { tenantId } }),
  listUsageRecords: (tenantId) => ({ query: { tenantId, meter: 'tokens' } }),
  correctUsage: async (tenantId) => {
    const idempotencyKey = newId('request')
    if (tenantId !== unknown)
      await world.operator.reportUsage({ body: { tenantId, meter: 'tokens', quantity: 2, idempotencyKey } })
    const correction = { action: 'amend', quantity: 1, reason: 'A test of the walk', idempotencyKey: newId('request') }
    return { body: { tenantId, corrects: idempotencyKey, ...correction } }
  },
  listUsageArchives: (tenantId) => ({ query: { tenantId } }),
  getUsageArchive: async (tenantId) => {
    const windowStart = '2026-01-01T00:00:00Z'
    if (tenantId !== unknown) await plantArchive(tenantId, windowStart)
    return { query: { tenantId, meter: 'tokens', windowStart, part: '1' } }
  },
  getUsageHistory: (tenantId) => ({ query: { tenantId, meter: 'tokens' } }),
  createCustomer: () => ({ body: { tenantId: `fresh-${newId('request').slice(-8)}`, name: 'Fresh' } }),
  listCustomers: () => ({ query: { limit: '1' } }),
  getCustomer: (_, own) => ({ params: { customerId: own.customer } }),
  updateCustomer: (_, own) => ({ params: { customerId: own.customer }, body: { email: 'pay@ana.example' } }),
  getTimeline: (_, own) => ({ params: { customerId: own.customer }, query: { limit: '100' } }),
  createExport: (_, own) => ({ params: { customerId: own.customer } }),
  listExports: (_, own) => ({ params: { customerId: own.customer } }),
  // Its link is its credential, so that it is not walked: leaving.test.ts follows it.
  downloadExport: () => ({ params: { token: 'x' } }),
  listOwners: (_, own) => ({ params: { customerId: own.customer } }),
  removeOwner: (_, own) => ({ params: { customerId: own.customer, personId: 'person-who-leaves' } }),
  listOwnerTransfers: (_, own) => ({ params: { customerId: own.customer } }),
  requestOwnerTransfer: (_, own) => ({
    params: { customerId: own.customer },
    body: { to: { email: 'eve@ana.example', name: 'Eve' }, stays: true },
  }),
  confirmOwnerTransfer: (_, own) => ({ params: { transferId: own.transfer }, body: { token: 'x' } }),
  declineOwnerTransfer: (_, own) => ({ params: { transferId: own.transfer }, body: { token: 'x' } }),
  cancelOwnerTransfer: (_, own) => ({ params: { transferId: own.transfer } }),
  createSession: (tenantId) => ({ body: { tenantId, kind: 'portal' } }),
  getCheckout: (_, own) => ({ params: { checkoutId: own.checkout } }),
  reportReturn: (_, own) => ({ params: { checkoutId: own.checkout }, body: { outcome: 'returned' } }),
  getStatus: (tenantId) => ({ query: { tenantId } }),
  listPlans: (tenantId) => ({ query: { tenantId } }),
  sync: (tenantId) => ({ body: { tenantId } }),
  receiveWebhook: () => ({ params: { provider: 'stripe' } }),
  listSubscriptions: (tenantId) => ({ query: { tenantId } }),
  // Of tenants who really pay: one came back, one only looks, one holds a plan.
  createSubscription: (tenantId) => ({ body: { tenantId: tenantId === owner ? 'payer' : tenantId, plan: 'pro' } }),
  previewNewSubscription: (tenantId) => ({
    body: { tenantId: tenantId === owner ? 'looker' : tenantId, plan: 'pro' },
  }),
  commandSubscription: (_, own) => ({
    params: { subscriptionId: own === ids ? held : own.subscription },
    body: { action: 'cancel' },
  }),
  previewSubscription: (_, own) => ({
    params: { subscriptionId: own === ids ? held : own.subscription },
    body: { action: 'cancel', when: 'now' },
  }),
  getSubscription: (_, own) => ({ params: { subscriptionId: own.subscription } }),
  getEntitlements: (tenantId) => ({ query: { tenantId } }),
  check: (tenantId) => ({ body: { tenantId, features: ['api_calls', 'sso', 'projects', 'regions'] } }),
  createReservation: (tenantId) => ({
    body: { tenantId, features: [{ feature: 'api_calls', quantity: 2 }], idempotencyKey: newId('request') },
  }),
  listReservations: (tenantId) => ({ query: { tenantId } }),
  getReservation: (_, own) => ({ params: { reservationId: own.reservation } }),
  commitReservation: (_, own) => ({ params: { reservationId: own.reservation }, body: {} }),
  releaseReservation: (_, own) => ({ params: { reservationId: own.secondReservation } }),
  explain: (tenantId) => ({ params: { feature: 'api_calls' }, query: { tenantId } }),
  listDecisions: (tenantId) => ({ query: { tenantId, outcome: 'refused' } }),
  getDecision: async (tenantId) => {
    const idempotencyKey = newId('request')
    if (tenantId !== unknown)
      await world.operator.reportUsage({
        body: { tenantId, meter: 'api_calls', quantity: 999_999_999, idempotencyKey },
      })
    const decisionId = `decision_r${Buffer.from(idempotencyKey).toString('base64url')}`
    return { params: { decisionId }, query: { tenantId } }
  },
  createOverride: (tenantId) => ({
    body: { tenantId, feature: 'sso', set: { enabled: true }, reason: 'A test of the walk' },
  }),
  listOverrides: (tenantId) => ({ query: { tenantId } }),
  listWaitingOverrides: () => ({}),
  approveOverride: (_, own) => ({ params: { overrideId: own.request }, body: {} }),
  rejectOverride: (_, own) => ({ params: { overrideId: own.secondRequest }, body: { reason: 'A test of the walk' } }),
  withdrawOverride: (_, own) => ({ params: { overrideId: own.override } }),
  listInvoices: (tenantId) => ({ query: { tenantId } }),
  getInvoice: (_, own) => ({ params: { invoiceId: own.invoice } }),
  listPayments: (tenantId) => ({ query: { tenantId } }),
  listUsagePeriods: (tenantId) => ({ query: { tenantId } }),
  getCloseProgress: () => ({}),
  getUsageCost: (tenantId) => ({ query: { tenantId } }),
  getUpcomingInvoice: (tenantId) => ({ query: { tenantId } }),
  explainInvoice: (_, own) => ({ params: { invoiceId: own.invoice } }),
  listPaymentMethods: (tenantId) => ({ query: { tenantId } }),
  getRefundTerms: (_, own) => ({ params: { invoiceId: own.invoice } }),
  createRefund: (_, own) => ({
    params: { invoiceId: own === ids ? creditedInvoice : own.invoice },
    body: { amountMinor: '100', reason: 'duplicate', reasonText: 'A test of the walk', idempotencyKey: 'walk' },
  }),
  createCreditNote: (_, own) => ({
    params: { invoiceId: own === ids ? creditedInvoice : own.invoice },
    body: {
      ...{ amountMinor: '100', to: 'balance', reason: 'order_change', reasonText: 'A test of the walk' },
      idempotencyKey: 'walk',
    },
  }),
  listRefunds: (tenantId) => ({ query: { tenantId: tenantId === owner ? 'creditor' : tenantId } }),
  listCreditNotes: (tenantId) => ({ query: { tenantId: tenantId === owner ? 'creditor' : tenantId } }),
  getRefund: (_, own) => ({ params: { refundId: own.refund } }),
  approveRefund: (_, own) => ({ params: { refundId: own.refund }, body: {} }),
  rejectRefund: (_, own) => ({ params: { refundId: own.secondRefund }, body: { reason: 'A test of the walk' } }),
  approveCreditNote: (_, own) => ({ params: { creditNoteId: own.creditNote }, body: {} }),
  rejectCreditNote: (_, own) => ({ params: { creditNoteId: own.secondCreditNote }, body: {} }),
  listNotices: (tenantId) => ({ query: { tenantId } }),
  listNoticeTemplates: () => ({}),
  previewNotice: () => ({ body: { kind: 'trial_ending' } }),
  getNotice: (_, own) => ({ params: { noticeId: own.notice } }),
  resendNotice: (_, own) => ({ params: { noticeId: own.notice } }),
  listCurrentNotices: (tenantId) => ({ query: { tenantId } }),
  previewRating: () => ({
    body: {
      currency: 'USD',
      period: { start: '2026-01-01T00:00:00Z', end: '2026-02-01T00:00:00Z' },
      plan: { plan: 'pro', price: 'monthly', seats: 5 },
      usage: [{ meter: 'api_calls', quantity: 12_000 }],
      credits: [{ key: 'gift', amount: 1_000, category: 'promotional' }],
      coupons: [{ key: 'spring', percentOff: 10 }],
      minimum: { amount: 10_000 },
      taxPercent: '7.7',
    },
  }),
  getBudget: (_, own) => ({ params: { customerId: own.customer } }),
  setBudget: (_, own) => ({
    params: { customerId: own.customer },
    body: { amountMinor: '5000', currency: 'USD', alertAtPercent: [80], cap: false },
  }),
  removeBudget: (_, own) => ({ params: { customerId: own.customer } }),
  getCredits: (tenantId) => ({ query: { tenantId } }),
  listLedgerEntries: (tenantId) => ({ query: { tenantId } }),
  listCreditGrants: (tenantId) => ({ query: { tenantId } }),
  createCreditGrant: (tenantId) => ({
    body: { tenantId, amount: { amountMinor: '500', currency: 'USD' }, reason: 'A test of the walk' },
  }),
  listWaitingCreditGrants: () => ({}),
  approveCreditGrant: (_, own) => ({ params: { grantId: own.creditRequest }, body: {} }),
  rejectCreditGrant: (_, own) => ({
    params: { grantId: own.secondCreditRequest },
    body: { reason: 'A test of the walk' },
  }),
  voidCreditGrant: (_, own) => ({ params: { grantId: own.credit }, body: { reason: 'A test of the walk' } }),
  listPurchases: (tenantId) => ({ query: { tenantId } }),
  reportUsage: (tenantId) => ({ body: { tenantId, meter: 'api_calls', idempotencyKey: 'walk-1' } }),
  getUsage: (tenantId) => ({ query: { tenantId } }),
  listEvents: (tenantId) => ({ query: { tenantId } }),
  streamEvents: (tenantId) => ({ query: { tenantId } }),
  getGatewaySnapshot: () => ({}),
  listWebhooks: () => ({}),
  countWebhooks: () => ({}),
  getWebhook: (_, own) => ({ params: { webhookId: own.webhook } }),
  replayWebhooks: () => ({ body: { states: ['dead'], dryRun: true } }),
  replayWebhook: (_, own) => ({ params: { webhookId: own.webhook } }),
  listAudit: (tenantId) => ({ query: { tenantId } }),
  getCatalog: () => ({}),
  listCatalogHistory: () => ({}),
  validateCatalog: () => ({ body: { source: acme } }),
  planCatalog: () => ({ body: { source: acme } }),
  applyCatalog: async () => {
    const source = acme.replace('description: For trying things out.', 'description: For a first look.')
    const { data } = await world.operator.planCatalog({ body: { source } })
    return { body: { source, artifact: data, reason: 'A test of the walk' } }
  },
  pushCatalog: () => ({}),
  diffCatalog: () => ({}),
  startReconciliation: (tenantId) => ({ body: { tenantId } }),
  listReconciliations: (tenantId) => ({ query: { tenantId } }),
  getReconciliation: (_, own) => ({ params: { runId: own.run } }),
  stopReconciliation: (_, own) => ({ params: { runId: own.run } }),
  getReconciliationFigures: () => ({}),
  listFindings: (tenantId) => ({ query: { tenantId } }),
  getFinding: (_, own) => ({ params: { findingId: own.openFinding } }),
  repairFinding: (_, own) => ({ params: { findingId: own.repairedFinding }, body: { reason: 'A test of the walk' } }),
  acceptFinding: (_, own) => ({ params: { findingId: own.openFinding }, body: { reason: 'A test of the walk' } }),
  dismissFinding: (_, own) => ({ params: { findingId: own.otherFinding }, body: { reason: 'A test of the walk' } }),
  createApiKey: () => ({ body: { name: 'walk', role: 'viewer', tenantId: owner } }),
  listApiKeys: () => ({}),
  revokeApiKey: (_, own) => ({ params: { keyId: own.key } }),
}

const definitionOf = (name: RouteName): RouteDefinition => routes[name]
const addressOf = (name: RouteName, { params = {}, query: fields = {} }: Example): string => {
  const path = definitionOf(name).path.replace(/\{(\w+)\}/g, (_, field: string) => params[field] ?? 'missing')
  const search = new URLSearchParams(fields).toString()
  return `${apiPrefix}${path}${search ? `?${search}` : ''}`
}
const request = (name: RouteName, example: Example, more: { key?: string | null } = {}) =>
  world.send(definitionOf(name).method, addressOf(name, example), {
    ...(example.body === undefined ? {} : { body: JSON.stringify(example.body) }),
    ...more,
  })
type Sent = Awaited<ReturnType<typeof request>>

/** The whole shape of a failure, and that nothing of the inside shows (API-3). */
const expectProblem = (answer: Sent, code: ProblemCode) => {
  expect(answer.json.code, answer.text).toBe(code)
  const { status, title, detail, next, retry } = problems[code]
  expect(answer.status).toBe(status)
  expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  expect(answer.headers.get('x-request-id')).toBe(answer.json.requestId)
  expect(answer.json).toMatchObject({ status, title, detail, next, retry, code })
  expect(answer.json.type).toMatch(/^\/reference\/problems#[a-z_]+$/)
  expect(answer.json.requestId).toMatch(/^request_[0-9a-z]{26}$/)
  expectNothingOfTheInside(answer)
}
const expectNothingOfTheInside = ({ text }: Sent) => {
  expect(text).not.toMatch(
    /\b(select|insert into|update|delete from)\s.+\b(from|set|where|values)\b|syntax error|relation "/i,
  )
  expect(text).not.toMatch(/stripe|ECONN|node:internal|\.ts:\d+|\n\s+at /i)
}
/** An answer without what may differ between two answers of the same content. */
const substance = ({ status, text, json, headers }: Sent) => ({
  status,
  text: text.replaceAll(String(json.requestId), 'request_x'),
  contentType: headers.get('content-type'),
  authenticate: headers.get('www-authenticate'),
})

const keyOf = async (role: Role, tenantId: string | null): Promise<string> => {
  const name = `${role} ${tenantId}`
  if (!keys.has(name)) keys.set(name, await world.keyOf(role, tenantId))
  return keys.get(name)!
}
/** A credential of a role that does not hold a permission; what all roles hold is taken from one key. */
const keyWithout = async (permission: Permission): Promise<string> => {
  const role = roleNames.find((candidate) => !may(candidate, permission))
  if (role) return keyOf(role, roles[role].holder === 'tenant' ? owner : null)
  const narrowed = await world.operator.createApiKey({
    body: { name: 'narrowed', role: 'operator', permissions: ['billing:plans:read'] },
  })
  return narrowed.data.key
}
/** A credential of the house that may use the route for any tenant. */
const allowedKey = (name: RouteName): Promise<string> | undefined => {
  const { permission } = definitionOf(name)
  return permission && !may('operator', permission) ? keyOf('gateway', null) : undefined
}
/** A credential with the permission, bound to another tenant: of that tenant's people where they may, else of the house. */
const strangersKey = (name: RouteName): Promise<string> => {
  const { permission } = definitionOf(name)
  return keyOf(roleNames.find((role) => permission !== null && may(role, permission)) ?? 'owner', other)
}

const instant = (text: string) => Temporal.Instant.from(text)
const subscriptionOf = (tenantId: string, customerId: string) => ({
  tenantId,
  subscriptionId: newId('subscription'),
  customerId,
  provider: 'stripe',
  providerSubscriptionId: `sub_of_${tenantId}`,
  plan: 'pro',
  planVersion: 1,
  price: 'monthly',
  currency: 'USD',
  interval: { unit: 'month' as const, count: 1 },
  seats: 3,
  addOns: [{ addOn: 'call_pack', quantity: 1 }],
  status: 'active' as const,
  period: { start: instant('2026-11-01T00:00:00Z'), end: instant('2026-12-01T00:00:00Z') },
  anchor: instant('2026-11-01T00:00:00Z'),
  trialEndsAt: null,
  endsAt: null,
  endedAt: null,
  pendingChange: null,
  standing: { paymentMethodOnFile: true, paused: null, collectionPaused: null },
  noted: null,
  startedAt: instant('2026-11-01T00:00:00Z'),
  updatedAt: instant('2026-11-01T00:00:00Z'),
})

const invoiceOfWalk = 'in_of_the_walk'
const invoiceOf = (tenantId: string) => ({
  ...{ tenantId, provider: 'stripe', providerInvoiceId: invoiceOfWalk, providerCustomerId: `cus_of_${tenantId}` },
  ...{ providerSubscriptionId: `sub_of_${tenantId}`, number: 'WALK-0001', status: 'open' as const },
  ...{ billingReason: 'subscription_cycle', amountDue: 4_900n, amountPaid: 0n, currency: 'USD', attemptCount: 0 },
  ...{ nextAttemptAt: null, actionRequired: false, hostedInvoiceUrl: 'https://pay.example/1', pdfUrl: null },
  ...{ period: null, createdAt: instant('2026-11-01T00:00:00Z'), finalizedAt: instant('2026-11-01T00:00:00Z') },
  ...{ subtotal: 4_900n, discount: 0n, tax: 0n, total: 4_900n, amountRemaining: 4_900n },
  ...{ creditedBeforePayment: 0n, creditedAfterPayment: 0n },
  payments: [
    {
      ...{ providerPaymentId: 'inpay_of_the_walk', status: 'open' as const, amount: 4_900n, paidAt: null },
      ...{ providerIntentId: 'pi_1', providerMethodId: null, createdAt: instant('2026-11-01T00:00:00Z') },
    },
  ],
  lines: [
    {
      ...{ providerLineId: 'il_1', description: '1 × Pro', amount: 4_900n, quantity: '1', proration: false },
      ...{ lookupKey: null, lineId: null },
      period: { start: instant('2026-11-01T00:00:00Z'), end: instant('2026-12-01T00:00:00Z') },
    },
  ],
})

let mail: MailServer
let held: string
let creditedInvoice: string

/** Somebody has paid a year, and support asks for more back than it may give alone. */
const askForMoneyBack = async () => {
  const { owner: creditor } = await subscribed(world, 'creditor', { plan: 'pro', price: 'yearly' })
  creditedInvoice = (await creditor.listInvoices({ query: {} })).data[0]!.id
  const support = await world.as('support')
  const wish = (key: string) => ({
    params: { invoiceId: creditedInvoice },
    body: {
      ...{ amountMinor: '3000', reason: 'duplicate' as const, reasonText: 'A test of the walk', idempotencyKey: key },
    },
  })
  const credit = (key: string) => ({ ...wish(key), body: { ...wish(key).body, to: 'balance' as const } })
  return {
    refund: (await support.createRefund(wish('approved'))).data.id,
    secondRefund: (await support.createRefund(wish('rejected'))).data.id,
    creditNote: (await support.createCreditNote(credit('approved'))).data.id,
    secondCreditNote: (await support.createCreditNote(credit('rejected'))).data.id,
  }
}
beforeAll(async () => {
  mail = await startMailServer()
  world = await startWorld({ env: { SMTP_URL: mail.url, NOTICES_FROM: 'billing@acme.example' } })
  await world.tenant(other)
  await world.tenant(owner)
  const { db } = world.app.deps
  const [customer] = (await world.operator.listCustomers({ query: { search: owner } })).data
  const session = await world.operator.createSession({
    body: { tenantId: owner, kind: 'product', product: 'onboarding' },
  })
  const override = await world.operator.createOverride({
    body: { tenantId: owner, feature: 'audit_log', set: { enabled: true }, reason: 'A test of the walk' },
  })
  // Asked for by somebody else than who approves on the walk.
  const support = await world.as('support')
  const [reservation, secondReservation] = await Promise.all(
    ['first', 'second'].map((name) =>
      world.operator.createReservation({
        body: { tenantId: owner, features: [{ feature: 'tokens' }], idempotencyKey: `held-${name}` },
      }),
    ),
  )
  const [request, secondRequest] = await Promise.all(
    ['exports', 'api_calls'].map((feature) =>
      support.createOverride({
        body: { tenantId: owner, feature, set: { limit: null }, reason: 'A test of the walk' },
      }),
    ),
  )
  await transact(db, (tx) =>
    insertPurchase(tx, {
      tenantId: owner,
      purchaseId: newId('purchase'),
      checkoutId: session.data.checkoutId!,
      product: 'onboarding',
      name: 'Onboarding',
      currency: 'USD',
      amountMinor: 50_000n,
      providerPaymentId: null,
      purchasedAt: world.clock.now(),
      creditGrantId: null,
    }),
  )
  const credit = await world.operator.createCreditGrant({
    body: { tenantId: owner, amount: { amountMinor: '1000', currency: 'USD' }, reason: 'A test of the walk' },
  })
  const [creditRequest, secondCreditRequest] = await Promise.all(
    ['30000', '40000'].map((amountMinor) =>
      support.createCreditGrant({
        body: { tenantId: owner, amount: { amountMinor, currency: 'USD' }, reason: 'A test of the walk' },
      }),
    ),
  )
  await world.operator.reportUsage({
    body: { tenantId: owner, meter: 'tokens', quantity: 45_000, idempotencyKey: 'walk-notice' },
  })
  const { data: notices } = await eventually(
    () => world.operator.listNotices({ query: { tenantId: owner, kind: 'limit_warning' } }),
    ({ data }) => data.length === 1,
  )
  const payer = await subscribed(world, 'payer')
  await payer.owner.commandSubscription({
    params: { subscriptionId: payer.subscriptionId },
    body: { action: 'cancel', when: 'now' },
  })
  await world.tenant('looker')
  held = (await subscribed(world, 'holder')).subscriptionId
  const subscription = subscriptionOf(owner, customer!.id)
  await transact(db, (tx) => saveSubscription(tx, subscription))
  await transact(db, (tx) => saveInvoice(tx, invoiceOf(owner), world.clock.now()))
  await storeWebhooks(
    db,
    [
      {
        provider: 'stripe',
        eventId: 'evt_of_the_walk',
        type: 'charge.succeeded',
        objectId: 'ch_1',
        providerCustomerId: 'cus_nobody',
        relevant: false,
        traceId: newId('request'),
      },
    ],
    world.clock.now(),
  )
  const [webhook] = (await world.operator.listWebhooks({ query: { state: 'ignored' } })).data
  const key = await world.operator.createApiKey({ body: { name: 'to be revoked', role: 'service' } })
  await world.operator.createExport({ params: { customerId: customer!.id } })
  for (const personId of ['person-who-stays', 'person-who-leaves'])
    await transact(db, (tx) =>
      saveOwner(tx, {
        tenantId: owner,
        personId,
        email: `${personId}@ana.example`,
        name: personId,
        since: world.clock.now(),
      }),
    )
  const transfer = await world.operator.requestOwnerTransfer({
    params: { customerId: customer!.id },
    body: { to: { email: 'eve@ana.example', name: 'Eve' }, fromPersonId: 'person-who-stays' },
  })
  const moneyBack = await askForMoneyBack()
  const run = await world.operator.startReconciliation({ body: { tenantId: owner } })
  const [repairedFinding, openFinding, otherFinding] = await Promise.all(
    (['repaired', 'open', 'open'] as const).map(async (state, place) => {
      const at = world.clock.now()
      const finding = {
        tenantId: owner,
        findingId: newId('finding'),
        kind: 'webhook_dead' as const,
        object: String(place),
        here: { type: 'invoice.paid', error: 'internal_error' },
        there: null,
        repair: 'replay_webhook' as const,
        state,
        firstSeenAt: at,
        lastSeenAt: at,
        closedAt: state === 'open' ? null : at,
        closedBy: state === 'open' ? null : 'walk',
        reason: null,
        firstRunId: run.data.id,
        lastRunId: run.data.id,
      }
      await transact(db, (tx) => saveFinding(tx, finding))
      return finding.findingId
    }),
  )
  const { data: begun } = await world.operator.createUsageImport({ body: { tenantId: owner, ...importOf('walk') } })
  ids = {
    import: begun.id,
    customer: customer!.id,
    run: run.data.id,
    repairedFinding: repairedFinding!,
    openFinding: openFinding!,
    otherFinding: otherFinding!,
    override: override.data.id,
    reservation: reservation!.data.reservation!.id,
    secondReservation: secondReservation!.data.reservation!.id,
    checkout: session.data.checkoutId!,
    subscription: subscription.subscriptionId,
    webhook: webhook!.id,
    key: key.data.id,
    request: request!.data.id,
    secondRequest: secondRequest!.data.id,
    notice: notices[0]!.id,
    transfer: transfer.data.id,
    invoice: invoiceOfWalk,
    credit: credit.data.id,
    creditRequest: creditRequest!.data.id,
    secondCreditRequest: secondCreditRequest!.data.id,
    ...moneyBack,
  }
})
afterAll(async () => {
  await world?.stop()
  await mail?.close()
})

/** Ids of the right form that nobody has. */
const nobodys: Ids = {
  customer: newId('customer'),
  run: newId('run'),
  repairedFinding: newId('finding'),
  openFinding: newId('finding'),
  otherFinding: newId('finding'),
  override: newId('override'),
  checkout: newId('checkout'),
  transfer: newId('transfer'),
  import: newId('import'),
  subscription: newId('subscription'),
  webhook: '999999999',
  request: newId('override'),
  secondRequest: newId('override'),
  notice: newId('notice'),
  key: newId('key'),
  invoice: 'in_of_nobody',
  credit: newId('grant'),
  creditRequest: newId('grant'),
  secondCreditRequest: newId('grant'),
  refund: newId('refund'),
  secondRefund: newId('refund'),
  creditNote: newId('credit_note'),
  secondCreditNote: newId('credit_note'),
  reservation: newId('reservation'),
  secondReservation: newId('reservation'),
}

describe.each(names.filter((name) => name !== 'receiveWebhook' && definitionOf(name).credential !== 'none'))(
  '%s',
  (name) => {
    const definition = definitionOf(name)

    test('without a credential: 401', async () => {
      const answer = await request(name, await examples[name](owner, ids), { key: null })
      expectProblem(answer, 'unauthenticated')
      expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    })

    test.each([
      ['an unknown key', `Bearer tpk_${'x'.repeat(43)}`],
      ['a token that is none', 'Bearer not.a.token'],
      ['an unsigned token', `Bearer ${btoa('{"alg":"none"}')}.${btoa('{"sub":"x","role":"operator"}')}.`],
      ['another scheme', 'Basic b3BlcmF0b3I6'],
      ['nothing behind Bearer', 'Bearer '],
      ['two credentials', 'Bearer aaaaaaaaaa, Bearer bbbbbbbbbb'],
    ])('with %s: 401', async (_, authorization) => {
      const example = await examples[name](owner, ids)
      const answer = await world.send(definition.method, addressOf(name, example), {
        key: null,
        headers: { authorization },
        ...(example.body === undefined ? {} : { body: JSON.stringify(example.body) }),
      })
      expectProblem(answer, 'unauthenticated')
    })

    const { permission } = definition
    if (permission !== null)
      test('without the permission: 403 that names it, and a denial in the audit', async () => {
        const key = await keyWithout(permission)
        const answer = await request(name, await examples[name](owner, ids), { key })
        expectProblem(answer, 'forbidden')
        expect(answer.json.permission).toBe(permission)
        expect(
          await query(
            world.app.deps.db,
            sql`select action, result, reason from audit_log where request_id = ${String(answer.json.requestId)}`,
          ),
        ).toEqual([{ action: name, result: 'denied', reason: `lacks ${permission}` }])
      })

    if (definition.tenancy === 'tenant' || definition.tenancy === 'tenant_or_house')
      test('for another tenant: the same answer as for one that nobody has', async () => {
        const key = await strangersKey(name)
        const named = async (tenantId: string) => {
          const example = await examples[name](tenantId, ids)
          if (name === 'createCustomer') example.body = { ...(example.body as object), tenantId }
          return request(name, example, { key })
        }
        const theirs = await named(owner)
        expectProblem(theirs, 'not_found')
        expect(substance(theirs)).toEqual(substance(await named(unknown)))
        expect(theirs.text).not.toContain(owner)
      })

    if (definition.tenancy === 'object')
      test('for an object of another tenant: the same answer as for one that does not exist', async () => {
        const key = await strangersKey(name)
        const theirs = await request(name, await examples[name](owner, ids), { key })
        expectProblem(theirs, 'not_found')
        for (const own of [nobodys, { ...ids, ...Object.fromEntries(Object.keys(ids).map((kind) => [kind, 'x'])) }])
          expect(substance(theirs)).toEqual(substance(await request(name, await examples[name](owner, own), { key })))
        expect(theirs.text).not.toContain(owner)
      })

    if (definition.tenancy === 'house')
      test('for a credential that is bound to a tenant: nothing is there', async () => {
        const answer = await request(name, await examples[name](owner, ids), { key: await strangersKey(name) })
        expectProblem(answer, 'not_found')
      })

    test('with an unknown field in the query: 400 that names it', async () => {
      const example = await examples[name](owner, ids)
      const answer = await request(
        name,
        { ...example, query: { ...example.query, surprise: '1' } },
        { key: await allowedKey(name) },
      )
      expectProblem(answer, 'invalid_request')
      expect(answer.json.errors).toEqual([{ field: 'query.surprise', message: 'is not a known field' }])
    })

    if (definition.method !== 'GET')
      test.each([
        ['a body that breaks off', '{"a":', 'malformed_json'],
        ['a body that is no JSON', 'name=ana', 'malformed_json'],
        ['two documents', '{}{}', 'malformed_json'],
        ['a dangerous key', '{"__proto__":{"isAdmin":true}}', 'malformed_json'],
        ['a list', '[]', 'invalid_request'],
        ['a word', '"x"', 'invalid_request'],
        ['null', 'null', 'invalid_request'],
        ['a NUL character', '{"name":"\\u0000"}', 'invalid_request'],
      ] as const)('with %s: a clear no', async (_, body, code) => {
        const answer = await world.send(definition.method, addressOf(name, await examples[name](owner, ids)), {
          body,
          key: await allowedKey(name),
        })
        expectProblem(answer, code)
      })

    if (definition.method !== 'GET')
      test('with another content type: 415', async () => {
        const answer = await world.send(definition.method, addressOf(name, await examples[name](owner, ids)), {
          body: '<a/>',
          headers: { 'content-type': 'text/xml' },
          key: await allowedKey(name),
        })
        expectProblem(answer, 'media_type_unsupported')
      })

    if (definition.method !== 'GET')
      test('with an unknown field in the body: 400 that names it', async () => {
        const example = await examples[name](owner, ids)
        const answer = await request(
          name,
          { ...example, body: { ...(example.body as object | undefined), surprise: 1 } },
          { key: await allowedKey(name) },
        )
        expectProblem(answer, 'invalid_request')
        expect(answer.json.errors).toEqual([
          definition.body
            ? {
                field: expect.stringMatching(/surprise|record/),
                message: expect.stringContaining('is not a known field'),
              }
            : { field: 'body', message: expect.any(String) },
        ])
      })

    if (definition.body)
      test('without a body: 400', async () => {
        const address = addressOf(name, await examples[name](owner, ids))
        const key = await allowedKey(name)
        expectProblem(await world.send(definition.method, address, { key }), 'invalid_request')
        expectProblem(await world.send(definition.method, address, { key, body: '' }), 'invalid_request')
      })
  },
)

describe('the webhook intake', () => {
  test.each([
    ['no signature', {}],
    ['a made-up signature', { 'stripe-signature': `t=1,v1=${'0'.repeat(64)}` }],
    ['a signature of nothing', { 'stripe-signature': '' }],
  ])('with %s: refused and recorded', async (_, headers) => {
    const answer = await world.send('POST', `${apiPrefix}/billing/webhooks/stripe`, {
      key: null,
      body: '{"id":"evt_1","type":"invoice.paid"}',
      headers: headers as Record<string, string>,
    })
    expectProblem(answer, 'webhook_signature_invalid')
    const [audited] = await query<{ result: string; action: string }>(
      world.app.deps.db,
      sql`select result, action from audit_log where request_id = ${String(answer.json.requestId)}`,
    )
    expect(audited).toEqual({ result: 'denied', action: 'webhook.receive' })
  })

  test('a provider that is not ours is not found', async () => {
    for (const provider of ['paypal', 'constructor', '__proto__'])
      expectProblem(
        await world.send('POST', `${apiPrefix}/billing/webhooks/${provider}`, { key: null, body: '{}' }),
        'not_found',
      )
  })
})

describe('every success has the shape of the contract', () => {
  const ajv = new Ajv({ allErrors: true, strict: false })
  addFormats.default(ajv)
  const compiled = new Map<RouteName, ValidateFunction>()
  const expectFits = (name: RouteName, data: unknown) => {
    if (!compiled.has(name)) compiled.set(name, ajv.compile(definitionOf(name).response as TSchema))
    const fits = compiled.get(name)!
    expect(fits(data) ? [] : fits.errors, JSON.stringify(data).slice(0, 2_000)).toEqual([])
  }

  // What ends an object comes last.
  const last: RouteName[] = [
    'withdrawOverride',
    'revokeApiKey',
    'applyCatalog',
    'cancelOwnerTransfer',
    'requestOwnerTransfer',
    'removeOwner',
  ]
  // Only a person with a letter can answer: owners.test.ts does. A download is no document: leaving.test.ts follows it.
  const elsewhere: RouteName[] = ['confirmOwnerTransfer', 'declineOwnerTransfer', 'downloadExport']
  const walked = names.filter(
    (name) => name !== 'receiveWebhook' && name !== 'streamEvents' && ![...last, ...elsewhere].includes(name),
  )

  test.each([...walked, ...last])('%s', async (name) => {
    const definition = definitionOf(name)
    const answer = await request(name, await examples[name](owner, ids), { key: await allowedKey(name) })
    expect(answer.status, answer.text).toBe(definition.status ?? 200)
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
    const { data, meta, ...rest } = answer.json as { data: unknown; meta: Record<string, unknown> }
    expect(rest).toEqual({})
    expect(meta).toEqual({
      requestId: answer.headers.get('x-request-id'),
      apiVersion: expect.any(String),
      ...(definition.kind === 'list'
        ? { cursor: name === 'listEvents' ? expect.any(String) : (meta.cursor ?? null) }
        : {}),
    })
    expectFits(name, data)
    if (Array.isArray(data) && definition.kind === 'list')
      expect(data.length, 'a list that shows nothing').toBeGreaterThan(0)
  })

  test('receiveWebhook', async () => {
    const body = '{"id":"evt_signed","type":"charge.succeeded","created":1,"data":{"object":{"id":"ch_2"}}}'
    const at = Math.floor(systemClock.now().epochMilliseconds / 1_000)
    const signature = createHmac('sha256', webhookSecret).update(`${at}.${body}`).digest('hex')
    const answer = await world.send('POST', `${apiPrefix}/billing/webhooks/stripe`, {
      key: null,
      body,
      headers: { 'stripe-signature': `t=${at},v1=${signature}` },
    })
    expect(answer.status).toBe(200)
    expectFits('receiveWebhook', answer.json.data)
  })

  test('streamEvents', async () => {
    const ending = new AbortController()
    const stream = await fetch(`${world.app.url}${addressOf('streamEvents', { query: { tenantId: owner } })}`, {
      headers: { authorization: `Bearer ${await keyOf('gateway', null)}` },
      signal: ending.signal,
    })
    expect(stream.status).toBe(200)
    expect(stream.headers.get('content-type')).toBe('text/event-stream')
    let text = ''
    const decoder = new TextDecoder()
    for await (const chunk of stream.body!) {
      text += decoder.decode(chunk, { stream: true })
      if (text.includes('\ndata: ') && text.endsWith('\n\n')) break
    }
    ending.abort()
    const events = [...text.matchAll(/^data: (.+)$/gm)].map((match) => JSON.parse(match[1]!))
    expect(events.length).toBeGreaterThan(0)
    for (const event of events) expectFits('streamEvents', event)
  })
})
