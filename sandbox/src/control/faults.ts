import type { Delivery } from '../store/openStore.ts'

export type Fault = {
  id: string /** How many more times it happens; null means until it is deleted. */
  count: number | null
} & (
  | { kind: 'webhook'; action: 'duplicate' | 'drop' | 'reorder'; type: string; customer?: string }
  | { kind: 'webhook'; action: 'delay'; type: string; customer?: string; seconds: number | 'hold' }
  | {
      kind: 'api'
      /** `reset` breaks the connection, `outage` answers 503; with `after` the work is done before the answer is lost. */
      action: ApiAction
      method: string
      path: string
      ms: number
      after: boolean
      /** What `status` answers with. */
      status?: number
      /** What `patch` writes over a right answer. */
      patch?: Record<string, unknown>
    }
)

/** `hang` never answers, `truncate` breaks off in the middle of the body, `garbage` is no JSON, `patch` is wrong data. */
export const apiActions = [
  'outage',
  'reset',
  'rate_limit',
  'error',
  'slow',
  'lock_timeout',
  'status',
  'hang',
  'truncate',
  'garbage',
  'patch',
] as const
type ApiAction = (typeof apiActions)[number]

export type ApiFault = Extract<Fault, { kind: 'api' }>
export type WebhookFault = Extract<Fault, { kind: 'webhook' }>
export type Faults = ReturnType<typeof createFaults>

/** Troubles that were ordered and have not happened yet. They live in memory: a restart heals everything. */
export function createFaults() {
  let faults: Fault[] = []
  let next = 1
  const use = (fault: Fault): void => {
    if (fault.count === null) return
    fault.count -= 1
    if (fault.count <= 0) faults = faults.filter((other) => other !== fault)
  }
  return {
    add: (fault: Omit<ApiFault, 'id'> | Omit<WebhookFault, 'id'>): Fault => {
      const added = { ...fault, id: `fault_${next++}` } as Fault
      faults.push(added)
      return added
    },
    list: () => faults,
    clear: (id?: string): void => {
      faults = id ? faults.filter((fault) => fault.id !== id) : []
    },
    onApi: (method: string, path: string): ApiFault | undefined => {
      const fault = faults.find(
        (candidate): candidate is ApiFault =>
          candidate.kind === 'api' &&
          (candidate.method === '*' || candidate.method === method) &&
          matches(candidate.path, path),
      )
      if (fault) use(fault)
      return fault
    },
    /** The deliveries that an event of this type gets: usually one, at once. */
    onWebhook: (type: string, customer: string | null, now: number): { status: Delivery['status']; due: number }[] => {
      const fault = faults.find(
        (candidate): candidate is WebhookFault =>
          candidate.kind === 'webhook' &&
          matches(candidate.type, type) &&
          (candidate.customer === undefined || candidate.customer === customer),
      )
      if (!fault) return [{ status: 'pending', due: now }]
      use(fault)
      if (fault.action === 'drop') return [{ status: 'dropped', due: now }]
      if (fault.action === 'duplicate')
        return [
          { status: 'pending', due: now },
          { status: 'pending', due: now },
        ]
      if (fault.action === 'reorder') return [{ status: 'held', due: -1 }]
      if (fault.action === 'delay' && fault.seconds !== 'hold') return [{ status: 'pending', due: now + fault.seconds }]
      return [{ status: 'held', due: now }]
    },
  }
}

/** `*` stands for any text: `invoice.*`, `/v1/customers/*`. */
function matches(pattern: string, text: string): boolean {
  const escaped = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${escaped.join('.*')}$`).test(text)
}
