import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'

/**
 * `npm run prove`: the simulations in full instead of the slice that every run of the tests takes, and what came out of
 * them in docs/proof.json. With a name only the simulations whose file has it in its name, and nothing is written.
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
  if (filters.length === 0) writeFileSync(join(root, 'docs/proof.json'), `${JSON.stringify(proofOf(file), null, 2)}\n`)
  rmSync(folder, { recursive: true, force: true })
  return status ?? 1
}

type Report = {
  testResults: { name: string; assertionResults: { title: string; status: string; duration?: number }[] }[]
}

const proofOf = (file: string) => {
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report
  const results = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ title, status, duration }) => ({
      simulation: name.slice(name.lastIndexOf('/') + 1).replace('.test.ts', ''),
      shown: title,
      passed: status === 'passed',
      seconds: Math.round((duration ?? 0) / 1_000),
    })),
  )
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
    machine: { processors: cpus().length, model: cpus()[0]?.model ?? '', memoryGiB: Math.round(totalmem() / 2 ** 30) },
    passed: results.filter(({ passed }) => passed).length,
    failed: results.filter(({ passed }) => !passed).length,
    results,
  }
}

const root = join(import.meta.dirname, '../..')
process.chdir(root)
process.exitCode = prove(process.argv.slice(2))
