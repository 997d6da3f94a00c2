import type { Refund } from '@turnpike/contract'
import { refundStates } from '@turnpike/contract'
import { type Command, Option } from 'commander'
import { facts, moneyText, table } from '../print.ts'
import type { Session } from '../session.ts'

export const addRefundCommands = (program: Command, session: Session): void => {
  const refunds = program.command('refunds').description('Money that went back, or is asked to')

  refunds
    .command('list')
    .description('Refunds, newest first')
    .option('--tenant <tenant>')
    .option('--waiting', 'only those that wait for a second person')
    .addOption(new Option('--state <state>').choices([...refundStates]))
    .option('--limit <n>', 'how many', (text) => Number(text), 50)
    .action(async ({ tenant: tenantId, waiting, limit, ...options }: ListOptions) => {
      const state = waiting ? 'waiting_for_approval' : options.state
      const { data } = await session.client().listRefunds({
        query: { limit, ...(tenantId ? { tenantId } : {}), ...(state ? { state } : {}) },
      })
      session.show(
        data,
        table(
          ['refund', 'tenant', 'state', 'amount', 'invoice', 'asked', 'by', 'decide by'],
          data.map((refund) => [
            refund.id,
            refund.tenantId,
            refund.state,
            moneyText(refund.amount),
            refund.invoiceId,
            refund.requestedAt,
            refund.requestedBy,
            refund.state === 'waiting_for_approval' ? refund.requestExpiresAt : null,
          ]),
          'No refunds.',
        ),
      )
    })

  refunds
    .command('show <refund>')
    .description('One refund and how far it has come')
    .action(async (refundId: string) => {
      const { data } = await session.client().getRefund({ params: { refundId } })
      session.show(data, refundText(data))
    })

  refunds
    .command('approve <refund>')
    .description('Agree to what somebody else asked for: it is sent at once')
    .option('--reason <text>', 'why')
    .action(async (refundId: string, { reason }: { reason?: string }) => {
      const { data } = await session.client().approveRefund({ params: { refundId }, body: reason ? { reason } : {} })
      session.show(data, refundText(data))
    })

  refunds
    .command('decline <refund>')
    .description('Say no to a refund that waits: nothing goes back')
    .requiredOption('--reason <text>', 'why')
    .action(async (refundId: string, { reason }: { reason: string }) => {
      const { data } = await session.client().rejectRefund({ params: { refundId }, body: { reason } })
      session.show(data, refundText(data))
    })
}

type ListOptions = { tenant?: string; waiting?: true; state?: Refund['state']; limit: number }

const refundText = (refund: Refund): string[] =>
  facts([
    ['refund', refund.id],
    ['tenant', refund.tenantId],
    ['state', refund.state],
    ['amount', moneyText(refund.amount)],
    ['invoice', refund.invoiceId],
    ['at the provider', refund.providerRefundId],
    ['reason', refund.reason],
    ['in words', refund.reasonText],
    ['asked', refund.requestedAt],
    ['by', refund.requestedBy],
    ['decide by', refund.state === 'waiting_for_approval' ? refund.requestExpiresAt : null],
    ['decided', refund.decidedAt],
    ['decided by', refund.decidedBy],
    ['because', refund.decisionReason],
    ['settled', refund.settledAt],
    ['failure', refund.failure],
  ])
