import { fileURLToPath } from 'node:url'
import { definitionOf, loadTemplates, noticeKindNames } from '../src/modules/notices/index.ts'

const whom = {
  billing: 'the customer’s billing address',
  owners: 'the billing owners, or the billing address',
  operators: 'the people of the house in `NOTICES_OPERATORS`',
  address: 'the person who was asked',
} as const

/** What customers are told, from the templates themselves, with the example data of previews. */
export const communicationPage = (): string => {
  const { render } = loadTemplates(fileURLToPath(new URL('../notices', import.meta.url)), {
    brand: 'Acme',
    linkBase: 'https://billing.acme.example',
    locale: 'en-US',
    timeZone: 'UTC',
  })
  const kinds = noticeKindNames.map((kind) => ({ kind, ...definitionOf(kind) }))
  return [
    '<!-- Generated from server/notices/ by `npm run generate`. Do not edit. -->',
    '# What customers are told',
    'Every message is made once from a domain event, in the words of the reviewed templates in `server/notices/`. Billing pages show the same words. Below, each kind with example data; `turnpike notices preview` shows them too.',
    [
      '| Kind | When | To | Severity |',
      '| --- | --- | --- | --- |',
      ...kinds.map(
        ({ kind, when, to, severity }) => `| [\`${kind}\`](#${kind}) | ${when} | ${whom[to]} | ${severity} |`,
      ),
    ].join('\n'),
    ...kinds.flatMap(({ kind, when, to, example }) => {
      const { subject, text } = render(kind, example, 'Example Ltd.')
      return [`## ${kind}`, `${when}. To ${whom[to]}.`, `**${subject}**`, ['```text', text.trim(), '```'].join('\n')]
    }),
    '',
  ].join('\n\n')
}
