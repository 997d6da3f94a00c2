import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'

/**
 * `npm run prove`: the simulations in full instead of the slice that every run of the tests takes, and what came out of
 * them in docs/proof.json, each with the commit that it was shown on. With a name only the simulations whose file has it in
 * its name: what they show takes the place of what they showed before.
 */
const prove = (filters: readonly string[]): number => {
  const folder = mkdtempSync(join(tmpdir(), 'turnpike-proof-'))
  const file = join(folder, 'report.json')
  const chosen = filters.length > 0 ? filters : ['server/test/simulation']
  const { status } = spawnSync(
    'vitest',
    ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...chosen],
    {
      stdio: 'inherit',
      env: { ...process.env, TZ: 'UTC', PROOF: 'full', PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}` },
    },
  )
  const kept =
    filters.length > 0 && existsSync(proofFile) ? (JSON.parse(readFileSync(proofFile, 'utf8')) as Proof) : null
  writeFileSync(proofFile, `${JSON.stringify(proofOf(file, kept?.results ?? []), null, 2)}\n`)
  rmSync(folder, { recursive: true, force: true })
  return status ?? 1
}

type Report = {
  testResults: { name: string; assertionResults: { title: string; status: string; duration?: number }[] }[]
}

type Result = { simulation: string; shown: string; passed: boolean; seconds: number; date: string; commit: string }
type Proof = { results: Result[] }

const proofOf = (file: string, before: readonly Result[]) => {
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report
  const now = {
    date: new Date().toISOString().slice(0, 10),
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
  }
  const shown = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'passed' || status === 'failed')
      .map(
        ({ title, status, duration }): Result => ({
          simulation: name.slice(name.lastIndexOf('/') + 1).replace('.test.ts', ''),
          shown: title,
          passed: status === 'passed',
          seconds: Math.round((duration ?? 0) / 1_000),
          ...now,
        }),
      ),
  )
  const named = new Map([...before, ...shown].map((result) => [`${result.simulation} ${result.shown}`, result]))
  const results = [...named.values()]
  return {
    machine: { processors: cpus().length, model: cpus()[0]?.model ?? '', memoryGiB: Math.round(totalmem() / 2 ** 30) },
    passed: results.filter(({ passed }) => passed).length,
    failed: results.filter(({ passed }) => !passed).length,
    results,
  }
}

const root = join(import.meta.dirname, '../..')
const proofFile = join(root, 'docs/proof.json')
process.chdir(root)
process.exitCode = prove(process.argv.slice(2))
