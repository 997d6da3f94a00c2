import { rate, ratingView, readRatingRequest } from '../src/modules/rating/index.ts'
import { type GoldenCase, goldenTables } from '../src/modules/rating/testing/golden.ts'

const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')

/** The price models with every example that the tests hold them to, rated anew by the service (RAT-1). */
export const priceModelsPage = (): string =>
  `${[
    '<!-- Generated from server/src/modules/rating/testing by `npm run generate`. Do not edit. -->',
    '# Price models',
    'Each example is worked by hand, rated by the service and counted out unit by unit in the tests; `POST /api/v1/rating/preview` takes any of them. Amounts are in minor units of the currency (cents), of US dollars and over April 2026 (30 days) where nothing else is said. Which choice is meant where products differ: [rounding and proration](../policies/rounding-and-proration.md).',
    ...goldenTables.flatMap(({ model, meaning, cases }) => [
      `## ${model}`,
      meaning,
      table(['Case', 'Lines', 'Total', 'Worked by hand'], cases.map(row)),
      'One of them as a request, and the calculation in its answer:',
      example(cases.find(({ lines }) => lines.some((amount) => amount !== '0')) ?? cases[0]!),
    ]),
  ].join('\n\n')}\n`

const rated = ({ title, request }: GoldenCase) => {
  const read = readRatingRequest(request, null)
  if (!read.ok) throw new Error(`the example "${title}" has mistakes`)
  return ratingView(read.input, rate(read.input))
}

const row = (golden: GoldenCase): string[] => {
  const view = rated(golden)
  return [
    golden.title,
    view.lines.map(({ amount }) => amount.amountMinor).join(' + ') || '–',
    `${view.total.amountMinor} ${view.currency}`,
    golden.by,
  ]
}

const example = (golden: GoldenCase): string => {
  const calculation = rated(golden).lines.flatMap((line) => line.calculation.map(({ text }) => text))
  return `\`\`\`json\n${JSON.stringify(golden.request, null, 2)}\n\`\`\`\n\n${calculation.map((text) => `- ${text}`).join('\n')}`
}
