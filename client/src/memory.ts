import type { Answer } from './check.ts'

/** Both forms are made once, when the service answers: a recall then allocates nothing. */
type Known = {
  answer: Answer
  promise: Promise<Answer>
  quantity: number
  at: number
  /** When the meter starts again; what was true of its old window says nothing about the new one. */
  resetsAt: number
}

/** The last answers of the service, for a bounded number of tenants; the one not heard of for longest is forgotten first. */
export const createMemory = (mostTenants = 10_000) => {
  const tenants = new Map<string, Map<string, Known>>()

  const remember = (tenantId: string, answer: Answer, quantity: number, at: number): void => {
    const features = tenants.get(tenantId) ?? new Map<string, Known>()
    const known: Answer = { ...answer, consumed: false, source: 'last_known' }
    features.set(answer.feature, {
      answer: known,
      promise: Promise.resolve(known),
      // Counting used the allowance up: the answer says what remains, not that the same may be had again.
      quantity: answer.consumed ? 0 : quantity,
      at,
      resetsAt: answer.resetsAt === null ? Number.POSITIVE_INFINITY : Date.parse(answer.resetsAt),
    })
    tenants.delete(tenantId)
    tenants.set(tenantId, features)
    if (tenants.size > mostTenants) tenants.delete(tenants.keys().next().value!)
  }

  /** The last answer when it is young enough and settles this quantity too. */
  const recall = (tenantId: string, feature: string, quantity: number, now: number, forMs: number): Known | null => {
    const known = tenants.get(tenantId)?.get(feature)
    if (known === undefined || now - known.at >= forMs) return null
    if (known.answer.kind !== 'metered') return known
    if (now >= known.resetsAt) return null
    return covers(known, quantity) ? known : null
  }

  /** What is let through without the service leaves less of what is known to be there. */
  const use = (tenantId: string, feature: string, quantity: number): void => {
    const known = tenants.get(tenantId)?.get(feature)
    if (!known?.answer.allowed || known.answer.kind !== 'metered') return
    const { used, remaining } = known.answer
    const left = remaining === null ? null : Math.max(0, remaining - quantity)
    known.answer = { ...known.answer, used: used === null ? null : used + quantity, remaining: left }
    known.promise = Promise.resolve(known.answer)
    known.quantity = Math.max(0, known.quantity - quantity)
  }

  return { remember, recall, use }
}

/**
 * Allowed for more means allowed for less, refused for less means refused for more; above a soft limit everything is let
 * through. In between only the service knows.
 */
const covers = ({ answer, quantity }: Known, asked: number): boolean => {
  if (!answer.allowed) return asked >= quantity
  if (answer.reason === 'soft_limit_exceeded') return true
  return asked <= quantity || answer.remaining === null || asked <= answer.remaining
}
