import { Type } from 'typebox'
import { type RouteDefinition, route } from '../route.ts'
import { TenantQuery } from '../schemas/common.ts'
import {
  CreditDecision,
  CreditGrant,
  CreditGrantCreate,
  CreditParams,
  Credits,
  CreditsQuery,
  CreditVoid,
  LedgerEntry,
  LedgerQuery,
  Purchase,
} from '../schemas/credit.ts'

/** Prepaid credit, its ledger, and what was bought once. */
export const creditsRoutes = {
  getCredits: route({
    method: 'GET',
    path: '/credits',
    summary: 'The credit that a customer has, by currency',
    tag: 'Credits',
    permission: 'billing:credits:read',
    tenancy: 'tenant',
    query: TenantQuery,
    response: Credits,
  }),

  listLedgerEntries: route({
    method: 'GET',
    path: '/credits/entries',
    summary: 'The ledger of a customer, newest first',
    description: 'Double entry: the entries of one `postingId` sum to zero. Nothing in it ever changes.',
    tag: 'Credits',
    permission: 'billing:credits:read',
    tenancy: 'tenant',
    kind: 'list',
    query: LedgerQuery,
    response: Type.Array(LedgerEntry),
  }),

  listCreditGrants: route({
    method: 'GET',
    path: '/credit-grants',
    summary: 'The credit grants of a customer and requests for one, newest first',
    tag: 'Credits',
    permission: 'billing:credits:read',
    tenancy: 'tenant',
    kind: 'list',
    query: CreditsQuery,
    response: Type.Array(CreditGrant),
  }),

  createCreditGrant: route({
    method: 'POST',
    path: '/credit-grants',
    summary: 'Grant credit with a reason, or ask for it where policy wants a second person',
    tag: 'Credits',
    permission: 'billing:credits:write',
    tenancy: 'tenant',
    body: CreditGrantCreate,
    status: 201,
    response: CreditGrant,
    problems: ['credit_invalid'],
  }),

  listWaitingCreditGrants: route({
    method: 'GET',
    path: '/credit-grants/waiting',
    summary: 'The credit grants of everybody that wait for a second person, the next to lapse first',
    description: 'At most 200.',
    tag: 'Credits',
    permission: 'billing:credits:write',
    tenancy: 'house',
    response: Type.Array(CreditGrant),
  }),

  approveCreditGrant: route({
    method: 'POST',
    path: '/credit-grants/{grantId}/approve',
    summary: 'Approve credit that somebody else asked for: it is usable at once',
    tag: 'Credits',
    permission: 'billing:credits:approve',
    tenancy: 'object',
    params: CreditParams,
    body: CreditDecision,
    response: CreditGrant,
    problems: ['second_person_required', 'credit_not_waiting'],
  }),

  rejectCreditGrant: route({
    method: 'POST',
    path: '/credit-grants/{grantId}/reject',
    summary: 'Reject credit that waits for a second person',
    tag: 'Credits',
    permission: 'billing:credits:approve',
    tenancy: 'object',
    params: CreditParams,
    body: CreditDecision,
    response: CreditGrant,
    problems: ['credit_not_waiting'],
  }),

  voidCreditGrant: route({
    method: 'POST',
    path: '/credit-grants/{grantId}/void',
    summary: 'Take back what is left of a credit grant, or a request for one',
    description:
      'With `as: refund` the ledger books what was paid for the rest as to be paid back; the refund itself is asked for at its payment.',
    tag: 'Credits',
    permission: 'billing:credits:write',
    tenancy: 'object',
    params: CreditParams,
    body: CreditVoid,
    response: CreditGrant,
    problems: ['credit_used_up'],
  }),

  listPurchases: route({
    method: 'GET',
    path: '/purchases',
    summary: 'What a customer has bought once, newest first',
    tag: 'Credits',
    permission: 'billing:credits:read',
    tenancy: 'tenant',
    kind: 'list',
    query: CreditsQuery,
    response: Type.Array(Purchase),
  }),
} as const satisfies Record<string, RouteDefinition>
