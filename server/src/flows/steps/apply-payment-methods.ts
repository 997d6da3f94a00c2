import {
  changedMethods,
  findPaymentMethods,
  type PaymentMethodFact,
  savePaymentMethod,
} from '../../modules/payments/index.ts'
import { type Actor, appendAudit } from '../../platform/audit.ts'
import type { Tx } from '../../platform/db.ts'
import type { NewEvent } from '../../platform/outbox.ts'
import type { Deps } from '../deps.ts'

/** Mirrors what a customer may be charged by (INV-2): told once when it differs, whichever webhook came. */
export const applyPaymentMethods = async (
  tx: Tx,
  deps: Pick<Deps, 'clock' | 'provider'>,
  tenantId: string,
  { attached, others }: { attached: readonly PaymentMethodFact[]; others: readonly PaymentMethodFact[] },
  actor: Actor,
): Promise<NewEvent[]> => {
  const held = await findPaymentMethods(tx, tenantId)
  const changes = changedMethods(held, attached, others)
  if (changes.length === 0) return []
  for (const method of changes)
    await savePaymentMethod(tx, { ...method, tenantId, provider: deps.provider.name }, deps.clock.now())
  const idsOf = (methods: readonly PaymentMethodFact[]) => ({
    attached: methods.flatMap((method) => (method.attached ? [method.providerMethodId] : [])),
    default: methods.find((method) => method.isDefault)?.providerMethodId ?? null,
  })
  await appendAudit(tx, deps.clock, {
    tenantId,
    actor,
    action: 'payment_methods.updated',
    before: idsOf(held),
    after: idsOf(attached),
  })
  const data = { count: attached.length, hasDefault: attached.some((method) => method.isDefault) }
  return [{ type: 'payment_methods.updated', data }]
}
