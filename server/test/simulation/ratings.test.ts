import { expect, test } from 'vitest'
import { disagreements } from './support/rate-history.ts'
import { ratingHistoryOf } from './support/rating-history.ts'
import { shortened } from './support/shorten-history.ts'

// Each seed is a catalog with random prices, a customer and a period of usage. SEED=n rates one of them alone, SEEDS=n that
// many; `npm run prove` all 10,000.
const only = process.env.SEED ? Number(process.env.SEED) : null
const count = only === null ? Number(process.env.SEEDS ?? (process.env.PROOF === 'full' ? 10_000 : 500)) : 1
const first = only ?? 1

test(`${count} random plans and their usage come to what somebody counts out from raw records (RAT-1, RAT-2)`, () => {
  const wrong: string[] = []
  for (let seed = first; seed < first + count && wrong.length < 3; seed++) {
    const history = ratingHistoryOf(seed)
    const sentences = disagreements(history)
    if (sentences.length === 0) continue
    const { file, request, standing } = shortened(history)
    wrong.push(
      [
        `SEED=${seed}`,
        ...sentences,
        'in short:',
        JSON.stringify(
          { plans: file.plans, policies: file.policies.billing, request, standing: String(standing.spentBeforeMinor) },
          null,
          1,
        ),
      ].join('\n'),
    )
  }
  expect(wrong.join('\n\n')).toBe('')
}, 1_200_000)
