import type { CreditGrant } from '@turnpike/contract'
import { type Command, Option } from 'commander'
import { facts, moneyText, table } from '../print.ts'
import type { Session } from '../session.ts'

export const addCreditCommands = (program: Command, session: Session): void => {
  const credits = program.command('credits').description('Prepaid credit of customers')

  credits
    .command('show <tenant>')
    .description('What a customer has, by currency')
    .action(async (tenantId: string) => {
      const { data } = await session.client().getCredits({ query: { tenantId } })
      session.show(
        data,
        table(
          ['currency', 'available', 'paid', 'promotional', 'next end', 'burnt', 'ended', 'refunded'],
          data.balances.map((balance) => [
            balance.currency,
            moneyText(balance.available),
            moneyText(balance.paid),
            moneyText(balance.promotional),
            balance.nextExpiry && `${moneyText(balance.nextExpiry.amount)} at ${balance.nextExpiry.at}`,
            moneyText(balance.burnt),
            moneyText(balance.expired),
            moneyText(balance.refunded),
          ]),
          'No credit.',
        ),
      )
    })

  credits
    .command('ledger <tenant>')
    .description('The newest entries of the ledger')
    .option('--grant <id>', 'of one grant')
    .action(async (tenantId: string, options: { grant?: string }) => {
      const { data } = await session.client().listLedgerEntries({
        query: { tenantId, limit: 200, ...(options.grant ? { grantId: options.grant } : {}) },
      })
      session.show(
        data,
        table(
          ['at', 'kind', 'account', 'amount', 'for', 'actor', 'posting'],
          data.map((entry) => [
            entry.at,
            entry.kind,
            entry.grantId ?? entry.account,
            moneyText(entry.amount),
            entry.reference,
            entry.actor,
            entry.postingId,
          ]),
          'Nothing was moved.',
        ),
      )
    })

  credits
    .command('grant <tenant> <amountMinor> <currency>')
    .description('Grant credit, in minor units; where policy wants a second person it waits for one')
    .requiredOption('--reason <text>', 'why')
    .option('--expires <instant>', 'its end, such as 2027-01-31T00:00:00Z')
    .addOption(new Option('--category <category>').choices(['promotional', 'paid']).default('promotional'))
    .action(
      async (
        tenantId: string,
        amountMinor: string,
        currency: string,
        options: { reason: string; expires?: string; category: CreditGrant['category'] },
      ) => {
        const { data } = await session.client().createCreditGrant({
          body: {
            tenantId,
            amount: { amountMinor, currency },
            category: options.category,
            reason: options.reason,
            ...(options.expires ? { expiresAt: options.expires } : {}),
          },
        })
        session.show(data, grantText(data))
      },
    )

  credits
    .command('void <grant>')
    .description('Take back what is left of a grant')
    .requiredOption('--reason <text>', 'why')
    .option('--refund', 'what was paid for the rest is to be paid back')
    .action(async (grantId: string, options: { reason: string; refund?: boolean }) => {
      const { data } = await session.client().voidCreditGrant({
        params: { grantId },
        body: { reason: options.reason, as: options.refund ? 'refund' : 'void' },
      })
      session.show(data, grantText(data))
    })
}

const grantText = (grant: CreditGrant): string[] =>
  facts([
    ['grant', grant.id],
    ['tenant', grant.tenantId],
    ['state', grant.state],
    ['amount', moneyText(grant.amount)],
    ['left', moneyText(grant.left)],
    ['category', grant.category],
    ['ends', grant.expiresAt],
    ['decide by', grant.requestExpiresAt],
  ])
