import { rate, ratingView, readRatingRequest } from '../src/modules/rating/index.ts'
import { type GoldenCase, goldenTables } from '../src/modules/rating/testing/golden.ts'
import { featureTables } from '../src/modules/rating/testing/golden-features.ts'
import { fieldWords, plainWords } from './price-models-words.ts'

const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')

/** The price models with every example that the tests hold them to, rated anew by the service (RAT-1). */
export const priceModelsPage = (): string =>
  `${[
    '<!-- Generated from server/src/modules/rating/testing and server/tools by `npm run generate`. Do not edit. -->',
    '# Price models',
    'Each example is worked by hand, rated by the service and counted out unit by unit in the tests; `POST /api/v1/rating/preview` takes any of them. Amounts are in minor units of the currency (cents), of US dollars and over April 2026 (30 days) where nothing else is said. Which choice is meant where products differ: [rounding and proration](../policies/rounding-and-proration.md). What each field means: `openapi.json`.',
    '[Words of the field](#words-of-the-field) says how what other products name otherwise is asked for, [One request for each feature](#one-request-for-each-feature) has requests to copy.',
    ...goldenTables.flatMap(({ model, meaning, cases }) => [
      `## ${model}`,
      meaning,
      table(['Case', 'Lines', 'Total', 'Worked by hand'], cases.map(row)),
      'One of them as a request, and the calculation in its answer:',
      example(cases.find(({ lines }) => lines.some((amount) => amount !== '0')) ?? cases[0]!),
    ]),
    '## Words of the field',
    table(
      ['Elsewhere', 'Here', 'Example'],
      fieldWords.map(([words, here, title]) => [words, here, title === null ? '' : linkTo(title)]),
    ),
    'What is easily taken for something else:',
    plainWords.map((words) => `- ${words}`).join('\n'),
    '## One request for each feature',
    'Each as it is sent, and what matters of its answer.',
    ...featureTables.flatMap(({ model, meaning, cases }) => [`### ${model}`, meaning, ...cases.flatMap(whole)]),
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
  return `${block(golden.request)}\n\n${calculation.map((text) => `- ${text}`).join('\n')}`
}

const whole = (golden: GoldenCase): string[] => {
  const { period, lines, subtotal, adjustments, total, credits, allowances } = rated(golden)
  const answer = {
    // Told where it was not asked for in so many words.
    ...(golden.request.period ? {} : { period }),
    lines: lines.map(({ charge, kind, quantity, amount, calculation, net }) => ({
      charge,
      kind,
      quantity,
      amount,
      calculation: calculation.map(({ text }) => ({ text })),
      net,
    })),
    subtotal,
    ...(adjustments.length > 0
      ? { adjustments: adjustments.map(({ kind, key, text, amount }) => ({ kind, key, text, amount })) }
      : {}),
    total,
    ...(credits.length > 0 ? { credits } : {}),
    ...(allowances.length > 0 ? { allowances } : {}),
  }
  return [
    `#### ${golden.title}`,
    `${golden.by[0]!.toUpperCase()}${golden.by.slice(1)}.`,
    block(golden.request),
    'gives',
    block(answer),
  ]
}

const linkTo = (title: string): string => {
  if (!featureTables.some(({ cases }) => cases.some((golden) => golden.title === title)))
    throw new Error(`no example is named "${title}"`)
  const anchor = title
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-')
  return `[${title}](#${anchor})`
}

const block = (value: unknown): string => `\`\`\`json\n${json(value)}\n\`\`\``

/** What fits stands on one line: a request is read as a whole, and tiers like a table. */
const json = (value: unknown, indent = ''): string => {
  const flat = oneLine(value)
  if (typeof value !== 'object' || value === null || (indent !== '' && indent.length + flat.length <= 110)) return flat
  const inner = `${indent}  `
  const [open, close, parts] = Array.isArray(value)
    ? ['[', ']', value.map((part) => json(part, inner))]
    : ['{', '}', entriesOf(value).map(([key, part]) => `${JSON.stringify(key)}: ${json(part, inner)}`)]
  return `${open}\n${parts.map((part) => inner + part).join(',\n')}\n${indent}${close}`
}
const oneLine = (value: unknown): string => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`
  const parts = entriesOf(value).map(([key, part]) => `${JSON.stringify(key)}: ${oneLine(part)}`)
  return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`
}
const entriesOf = (value: object) => Object.entries(value).filter(([, part]) => part !== undefined)
