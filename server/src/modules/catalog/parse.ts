import { CatalogFile, type CatalogProblem } from '@turnpike/contract'
import { Value } from 'typebox/value'
import { hashOf } from './catalog.ts'
import { checkGrants } from './check-grants.ts'
import { checkMeters } from './check-meters.ts'
import { checkPlans } from './check-plans.ts'
import { checkPrices } from './check-prices.ts'
import { draftOf } from './draft.ts'
import { explainShape } from './explain-shape.ts'
import { addOnRefs, lookupKeyFor, planRefs, productRefs } from './lookup-key.ts'
import { amountIn } from './price.ts'
import { type Path, type ProblemAt, readYaml } from './read-yaml.ts'

export type ParsedCatalog = { ok: true; file: CatalogFile; hash: string } | { ok: false; problems: CatalogProblem[] }

const problemsMax = 200

/** Reads a catalog file: every mistake of writing, form and meaning at once, each with its place, in file order (CAT-1). */
export const parseCatalog = (source: string): ParsedCatalog => {
  const { value, problems, problemAt } = readYaml(source)
  if (value === undefined || value === null) return { ok: false, problems: inOrder(problems) }

  const shapeProblems = explainShape(CatalogFile, value)
  for (const { path, message, at } of shapeProblems) problems.push(problemAt(path, message, at))
  const draft = draftOf(value, shapeProblems, (path, message, at) => problems.push(problemAt(path, message, at)))
  checkMeters(draft)
  checkGrants(draft)
  checkPrices(draft)
  checkPlans(draft)
  if (problems.length > 0) return { ok: false, problems: inOrder(problems) }

  // The sentences above are ours; the contract's schema has the last word.
  if (!Value.Check(CatalogFile, value))
    return { ok: false, problems: [problemAt([], 'The file does not fit the catalog schema.')] }
  const tooLong = lookupKeyProblems(value, problemAt)
  return tooLong.length > 0 ? { ok: false, problems: tooLong } : { ok: true, file: value, hash: hashOf(value) }
}

const inOrder = (problems: CatalogProblem[]): CatalogProblem[] =>
  problems.sort((a, b) => a.line - b.line || a.column - b.column).slice(0, problemsMax)

// A provider takes lookup keys of up to 200 characters.
const lookupKeyMax = 200

const lookupKeyProblems = (file: CatalogFile, problemAt: ProblemAt): CatalogProblem[] => {
  const refs = [
    ...Object.entries(file.plans).flatMap(([key, plan]) =>
      planRefs(key, plan).map((ref) => ({ ref, path: ['plans', key] as Path })),
    ),
    ...addOnRefs(file).map((ref) => ({ ref, path: ['addOns'] as Path })),
    ...productRefs(file).map((ref) => ({ ref, path: ['products'] as Path })),
  ]
  return refs.flatMap(({ ref, path }) => {
    const amount = amountIn(file, ref)
    const key = amount ? lookupKeyFor(file.catalog, ref, amount) : ''
    if (key.length <= lookupKeyMax) return []
    return [
      problemAt(
        path,
        `The names are too long together: the provider's key "${key}" has ${key.length} characters, at most ${lookupKeyMax}.`,
      ),
    ]
  })
}
