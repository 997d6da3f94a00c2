import type { DecisionDetail, DecisionRecord } from '@turnpike/contract'
import type { Command } from 'commander'
import { clean, facts, table } from '../print.ts'
import type { Session } from '../session.ts'

export const addDecisionCommands = (program: Command, session: Session): void => {
  program
    .command('decisions <tenant>')
    .description('Decisions as they were made, newest first: all that refused, and all that used something up')
    .option('--feature <feature>')
    .option('--refused', 'only those that refused')
    .option('--from <instant>')
    .option('--to <instant>', 'exclusive')
    .option('--limit <n>', 'how many', (text) => Number(text), 50)
    .action(async (tenantId: string, { refused, ...options }: DecisionOptions) => {
      const query = { tenantId, ...options, ...(refused ? { outcome: 'refused' as const } : {}) }
      const { data } = await session.client().listDecisions({ query })
      session.show(data, decisionsText(data))
    })

  program
    .command('decision <tenant> <decision>')
    .description('One decision: why, what would have made it another one, and whether it comes out the same again')
    .action(async (tenantId: string, decisionId: string) => {
      const { data } = await session.client().getDecision({ params: { decisionId }, query: { tenantId } })
      session.show(data, decisionText(data))
    })
}

type DecisionOptions = { feature?: string; refused?: true; from?: string; to?: string; limit: number }

const answerOf = ({ allowed, reason, because }: DecisionRecord): string =>
  `${allowed ? 'allowed' : 'denied'}: ${because ? `${because} was denied` : reason}`

const counterOf = ({ counter }: DecisionRecord): string | null =>
  counter &&
  `${counter.used} of ${counter.limit ?? 'unlimited'}${counter.reserved > 0 ? `, ${counter.reserved} held` : ''}`

const decisionsText = (decisions: DecisionRecord[]): string[] =>
  table(
    ['at', 'feature', 'kind', 'quantity', 'times', 'answer', 'counter', 'decision'],
    decisions.map((each) => [
      each.at,
      each.feature,
      each.kind,
      each.quantity,
      each.attempts,
      answerOf(each),
      counterOf(each),
      each.id,
    ]),
    'Nothing was refused or used up.',
  )

const decisionText = (decision: DecisionDetail): string[] => [
  ...facts([
    ['answer', answerOf(decision)],
    ['feature', decision.feature],
    ['at', decision.at],
    ['quantity', decision.quantity],
    ['counter before', counterOf(decision)],
    ['plan', `${decision.plan} version ${decision.planVersion}`],
    ['override', decision.overrideId],
    ['entitlements', `version ${decision.snapshotVersion}`],
    ['would have been allowed', decision.counterfactual.allowedQuantity ?? 'any quantity'],
    ['plan that would allow it', decision.counterfactual.plan],
    ['smallest override', decision.counterfactual.override && JSON.stringify(decision.counterfactual.override)],
    ['made again', decision.replay.same ? 'the same' : 'DIFFERENT: entitlements or record were changed since'],
  ]),
  ...decision.steps.map(({ source, sentence, decided }) => clean(`${decided ? '>' : ' '} ${source}: ${sentence}`)),
  ...decision.wouldAllow.map((sentence) => clean(`would allow: ${sentence}`)),
]
