import type { BillingStatus, Explanation, UsageSummary } from '@turnpike/contract'
import type { Command } from 'commander'
import { clean, facts, moneyText, table } from '../print.ts'
import type { Session } from '../session.ts'
import { addDecisionCommands } from './decisions.ts'
import { addUsageDataCommands } from './usage.ts'

export const addCustomerCommands = (program: Command, session: Session): void => {
  program
    .command('status <tenant>')
    .description('Plan, status, renewal, problems and next actions of a customer')
    .action(async (tenantId: string) => {
      const { data } = await session.client().getStatus({ query: { tenantId } })
      session.show(data, statusText(data))
    })

  const usage = program
    .command('usage <tenant>')
    .description('Used, limit and state of every meter')
    .action(async (tenantId: string) => {
      const { data } = await session.client().getUsage({ query: { tenantId } })
      session.show(data, usageText(data))
    })
  addUsageDataCommands(usage, session)

  program
    .command('explain <tenant> <feature>')
    .description('Why a customer may use a feature, or may not')
    .option('--at <instant>', 'at a past time, such as 2026-01-31T00:00:00Z')
    .action(async (tenantId: string, feature: string, options: { at?: string }) => {
      const { data } = await session.client().explain({ params: { feature }, query: { tenantId, ...options } })
      session.show(data, explanationText(data))
    })
  addDecisionCommands(program, session)
}

const statusText = (status: BillingStatus): string[] => [
  ...facts([
    ['tenant', status.tenantId],
    ['customer', status.customerId],
    ['status', status.status],
    ['access', status.accessLevel],
    ['plan', `${status.plan.name} (${status.plan.plan} version ${status.plan.version})`],
    ['price', status.amount ? `${moneyText(status.amount)}${status.interval ? ` per ${status.interval}` : ''}` : null],
    ['seats', status.seats ? `${status.seats.held} held, ${status.seats.included} included` : null],
    ['period', status.period ? `${status.period.start} to ${status.period.end}` : null],
    ['trial ends', status.trialEndsAt],
    ['renews', status.renewsAt],
    ['ends', status.endsAt],
    ['pending', status.pendingChange ? `${status.pendingChange.kind} at ${status.pendingChange.effectiveAt}` : null],
    ['waiting for the provider since', status.pendingSync?.since],
    ['problem', status.paymentProblem ? `${status.paymentProblem.kind} since ${status.paymentProblem.since}` : null],
  ]),
  ...status.nextActions.map(({ action, sentence }) => clean(`next: ${action} - ${sentence}`)),
]

const usageText = (usage: UsageSummary): string[] =>
  table(
    ['meter', 'used', 'included', 'limit', 'percent', 'overage', 'state', 'refused', 'resets'],
    usage.meters.map((meter) => [
      meter.meter,
      meter.used,
      meter.included ?? 'unlimited',
      meter.limit ?? 'unlimited',
      meter.percent === null ? null : `${meter.percent}%`,
      meter.overage,
      meter.state,
      meter.refusedAttempts,
      meter.window.end,
    ]),
    'Nothing is metered.',
  )

const explanationText = ({ decision, ...explanation }: Explanation): string[] => [
  ...facts([
    ['feature', explanation.feature],
    ['allowed', decision.allowed],
    ['reason', decision.reason],
    ['used', decision.used],
    ['limit', decision.kind === 'metered' ? (decision.limit ?? 'unlimited') : null],
    ['value', decision.value === null ? null : JSON.stringify(decision.value)],
    ['access', explanation.accessLevel],
    ['snapshot', explanation.snapshotVersion],
    ['at', explanation.at],
  ]),
  ...explanation.steps.map(({ source, decided, sentence }) => clean(`${decided ? '>' : ' '} ${source}: ${sentence}`)),
  ...explanation.wouldAllow.map((sentence) => clean(`would allow: ${sentence}`)),
]
