import { sha256 } from '../../core/canonical.ts'
import { fail } from '../../core/errors.ts'
import { commandSubscription } from '../../flows/command-subscription.ts'
import { previewCommand } from '../../flows/preview-command.ts'
import type { Subject } from '../../flows/steps/gather-command.ts'
import { type CustomerRecord, findCustomer } from '../../modules/customers/index.ts'
import { findSubscriptionById } from '../../modules/subscriptions/index.ts'
import type { Actor } from '../../platform/audit.ts'
import type { Context, Handlers, HttpDeps } from '../handler.ts'

const customerOf = async (deps: HttpDeps, tenantId: string): Promise<CustomerRecord> => {
  const customer = await findCustomer(deps.db, tenantId)
  if (!customer) throw fail('not_found')
  return customer
}

const subjectOf = async ({
  deps,
  params,
  own,
}: Pick<Context<'commandSubscription'>, 'deps' | 'params' | 'own'>): Promise<Subject> => {
  const record = await findSubscriptionById(deps.db, params.subscriptionId)
  if (!record) throw fail('not_found')
  await own(record.tenantId)
  return { customer: await customerOf(deps, record.tenantId), subscriptionId: record.subscriptionId }
}

/** The same holder with the same key means the same command. */
const repeatKeyOf = (actor: Actor, key: string | null): string | null =>
  key === null ? null : sha256(`${actor.kind} ${actor.id} ${key}`).toString('base64url')

// What an end at once is worth is the catalog's to say; only the house may decide otherwise.
const refuseUnlessHouse = (
  { credential, deps }: Pick<Context<'commandSubscription'>, 'credential' | 'deps'>,
  creditUnused: boolean | undefined,
): void => {
  const policy = deps.catalog().file.policies.cancellation.creditUnused ?? false
  if (creditUnused !== undefined && creditUnused !== policy && credential.tenantId !== null)
    throw fail('command_not_allowed', { extra: { reason: 'policy' } })
}

export const subscriptionHandlers: Handlers<
  'createSubscription' | 'previewNewSubscription' | 'commandSubscription' | 'previewSubscription'
> = {
  createSubscription: async ({ deps, actor, tenantId, body, idempotencyKey }) => {
    const { tenantId: _, previewToken, ...selection } = body
    return commandSubscription(
      deps,
      actor,
      { customer: await customerOf(deps, tenantId), subscriptionId: null },
      { action: 'create', ...selection },
      { previewToken, repeatKey: repeatKeyOf(actor, idempotencyKey) },
    )
  },

  previewNewSubscription: async ({ deps, actor, tenantId, body }) => {
    const { tenantId: _, ...selection } = body
    const subject = { customer: await customerOf(deps, tenantId), subscriptionId: null }
    return previewCommand(deps, actor, subject, { action: 'create', ...selection })
  },

  commandSubscription: async (context) => {
    const { deps, actor, idempotencyKey } = context
    const { previewToken, ...wish } = context.body
    const subject = await subjectOf(context)
    refuseUnlessHouse(context, wish.creditUnused)
    const result = await commandSubscription(deps, actor, subject, wish, {
      previewToken,
      repeatKey: repeatKeyOf(actor, idempotencyKey),
    })
    if (result.command.state === 'queued') context.reply.status(202)
    return result
  },

  previewSubscription: async (context) => {
    const subject = await subjectOf(context)
    refuseUnlessHouse(context, context.body.creditUnused)
    return previewCommand(context.deps, context.actor, subject, context.body)
  },
}
