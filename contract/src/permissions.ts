/** Every permission, `billing:<resource>:<action>`, with the sentence that the RBAC matrix prints (SEC-1, API-1). */
export const permissions = {
  'billing:customers:read': 'See a customer and its billing details',
  'billing:customers:write': 'Create and change customers',
  'billing:exports:write': 'Make and list archives of everything kept about a customer',
  'billing:owners:read': 'See billing owners and transfers',
  'billing:owners:write': 'Hand over, take back or leave billing ownership',
  'billing:owners:confirm': 'Accept or refuse billing ownership that was offered to oneself',
  'billing:status:read': 'See plan, status and next actions',
  'billing:plans:read': 'Compare plans',
  'billing:session:create': 'Open a hosted checkout or portal',
  'billing:subscriptions:read': 'See subscriptions',
  'billing:subscriptions:write': 'Subscribe, change, cancel, pause and resume',
  'billing:invoices:read': 'See invoices, payments, refunds and credit notes',
  'billing:payment_methods:read': 'See brand, last four digits and expiry of payment methods',
  'billing:refunds:write': 'Give money back: refunds and credit notes, as far as policy lets one',
  'billing:refunds:approve': 'Approve or reject refunds and credit notes that somebody else asked for',
  'billing:sync:run': 'Ask the provider again for one customer',
  'billing:entitlements:read': 'See and explain entitlements',
  'billing:entitlements:check': 'Ask whether something is allowed',
  'billing:entitlements:consume': 'Use up an allowance while checking it',
  'billing:overrides:read': 'See overrides',
  'billing:overrides:write': 'Grant and withdraw overrides',
  'billing:usage:read': 'See usage and limits',
  'billing:usage:write': 'Report usage',
  'billing:budgets:read': 'See the budget of a customer and what usage costs until now',
  'billing:budgets:write': 'Set the budget of a customer',
  'billing:credits:read': 'See credit, its ledger and purchases',
  'billing:credits:write': 'Grant credit and take it back',
  'billing:credits:approve': 'Approve or reject credit that needs a second person',
  'billing:usage:correct': 'Take back or correct what was reported',
  'billing:usage:import': 'Bring in usage of the past by file, past any limit',
  'billing:rating:preview': 'Try what a price gives; nothing is kept',
  'billing:events:read': 'Read the event feed',
  'billing:gateway:read': 'Read budgets and routing policies of all customers',
  'billing:overrides:approve': 'Approve or reject an override that needs a second person',
  'billing:notices:read': 'See messages to customers',
  'billing:notices:preview': 'Preview the kinds of messages',
  'billing:notices:send': 'Send a message again',
  'billing:timeline:read': 'See the timeline of a customer',
  'billing:webhooks:read': 'See the webhook inbox',
  'billing:webhooks:replay': 'Replay a webhook',
  'billing:metrics:read': 'Read the metrics of the service',
  'billing:audit:read': 'Read the audit trail',
  'billing:catalog:read': 'See the catalog and its history',
  'billing:catalog:write': 'Apply a catalog and push it to the provider',
  'billing:reconciliation:read': 'See reconciliation runs and findings',
  'billing:reconciliation:run': 'Reconcile one customer with the provider',
  'billing:reconciliation:run_all': 'Reconcile everybody with the provider',
  'billing:reconciliation:repair': 'Repair, accept and dismiss findings',
  'billing:keys:read': 'See API keys (never their secret)',
  'billing:keys:write': 'Create and revoke API keys',
} as const

export type Permission = keyof typeof permissions

const everybodysReading = [
  'billing:status:read',
  'billing:plans:read',
  'billing:entitlements:read',
  'billing:entitlements:check',
  'billing:usage:read',
] as const
const payersWork = [
  'billing:customers:read',
  'billing:subscriptions:read',
  'billing:subscriptions:write',
  'billing:session:create',
  'billing:events:read',
  'billing:notices:read',
  'billing:owners:read',
  'billing:invoices:read',
  'billing:payment_methods:read',
  'billing:credits:read',
  'billing:budgets:read',
  'billing:budgets:write',
] as const
// Whoever is offered ownership may answer, whatever the role: that is why `confirm` is a permission of its own.
const ownersWork = ['billing:exports:write', 'billing:owners:write', 'billing:owners:confirm'] as const
const staffReading = [
  ...everybodysReading,
  'billing:owners:read',
  'billing:customers:read',
  'billing:subscriptions:read',
  'billing:overrides:read',
  'billing:events:read',
  'billing:notices:read',
  'billing:notices:preview',
  'billing:timeline:read',
  'billing:webhooks:read',
  'billing:audit:read',
  'billing:catalog:read',
  'billing:reconciliation:read',
  'billing:invoices:read',
  'billing:payment_methods:read',
  'billing:credits:read',
  'billing:budgets:read',
] as const

/**
 * Who may do what: the one table. Roles of a tenant's people are always bound to their tenant; roles of the house may be
 * bound to one tenant or to none. No agent role holds a permission that changes anything (AI-1).
 */
export const roles = {
  owner: {
    holder: 'tenant',
    meaning: 'Billing owner of the tenant',
    permissions: [...everybodysReading, ...payersWork, ...ownersWork, 'billing:customers:write', 'billing:sync:run'],
  },
  admin: {
    holder: 'tenant',
    meaning: 'Administrator of the tenant',
    permissions: [
      ...everybodysReading,
      ...payersWork,
      'billing:customers:write',
      'billing:exports:write',
      'billing:owners:confirm',
      'billing:sync:run',
    ],
  },
  billing: {
    holder: 'tenant',
    meaning: 'Billing contact of the tenant',
    permissions: [...everybodysReading, ...payersWork, 'billing:owners:confirm', 'billing:sync:run'],
  },
  member: {
    holder: 'tenant',
    meaning: 'Works in the tenant',
    permissions: [...everybodysReading, 'billing:owners:confirm'],
  },
  viewer: {
    holder: 'tenant',
    meaning: 'Looks on',
    permissions: ['billing:status:read', 'billing:plans:read', 'billing:usage:read', 'billing:owners:confirm'],
  },
  operator: {
    holder: 'house',
    meaning: 'Runs Turnpike',
    permissions: Object.keys(permissions).filter((permission) => permission !== 'billing:gateway:read') as Permission[],
  },
  support: {
    holder: 'house',
    meaning: 'Helps customers',
    permissions: [
      ...staffReading,
      'billing:refunds:write',
      'billing:overrides:write',
      'billing:credits:write',
      'billing:budgets:write',
      'billing:sync:run',
      'billing:webhooks:replay',
      'billing:reconciliation:run',
    ],
  },
  finance: {
    holder: 'house',
    meaning: 'Looks after the money',
    permissions: [
      ...staffReading,
      'billing:credits:write',
      'billing:credits:approve',
      'billing:usage:correct',
      'billing:refunds:write',
      'billing:refunds:approve',
      'billing:rating:preview',
      'billing:reconciliation:run',
      'billing:reconciliation:run_all',
    ],
  },
  auditor: {
    holder: 'house',
    meaning: 'Reads everything, changes nothing',
    permissions: [...staffReading, 'billing:keys:read'],
  },
  service: {
    holder: 'house',
    meaning: 'A service of the host product',
    permissions: [
      ...everybodysReading,
      'billing:customers:read',
      'billing:customers:write',
      'billing:subscriptions:read',
      'billing:credits:read',
      'billing:budgets:read',
      'billing:budgets:write',
      'billing:session:create',
      'billing:entitlements:consume',
      'billing:usage:write',
      'billing:rating:preview',
      'billing:events:read',
      'billing:sync:run',
      'billing:invoices:read',
    ],
  },
  gateway: {
    holder: 'house',
    meaning: 'A gateway that keeps a local replica',
    permissions: [
      'billing:gateway:read',
      'billing:events:read',
      'billing:entitlements:check',
      'billing:entitlements:consume',
      'billing:usage:write',
      'billing:usage:read',
    ],
  },
  agent: {
    holder: 'house',
    meaning: 'A software agent: reads and explains',
    permissions: [
      ...everybodysReading,
      'billing:customers:read',
      'billing:subscriptions:read',
      'billing:credits:read',
      'billing:budgets:read',
      'billing:timeline:read',
      'billing:catalog:read',
      'billing:rating:preview',
      'billing:invoices:read',
    ],
  },
} as const satisfies Record<string, { holder: 'tenant' | 'house'; meaning: string; permissions: readonly Permission[] }>

export type Role = keyof typeof roles

export const roleNames = Object.keys(roles) as Role[]

export const tenantRoles = roleNames.filter((role) => roles[role].holder === 'tenant')

export const may = (role: Role, permission: Permission): boolean =>
  (roles[role].permissions as readonly Permission[]).includes(permission)
