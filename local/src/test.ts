import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findChromium } from './chromium.ts'

/**
 * `npm test`: sets the machine up, runs the checks and then the tests, and ends with the line `N passed, N failed`.
 * Each check counts as one test. With arguments only the tests run, and the arguments go to Vitest.
 */
async function runTests(filters: string[]): Promise<Tally> {
  const tally = { passed: 0, failed: 0, skipped: 0 }
  if (filters.length > 0) {
    console.log('Arguments given: only the tests, without the checks.')
    return runVitest(tally, filters)
  }
  for (const check of checks) {
    if (check.needs && !existsSync(check.needs)) continue
    const startedAt = performance.now()
    const problem = await check.run().catch((error: Error) => error.message)
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    console.log(`${problem === undefined ? 'passed' : 'FAILED'}  ${check.name} (${seconds} s)`)
    if (problem !== undefined) console.log(problem.trim().replaceAll(/^/gm, '    '))
    tally[problem === undefined ? 'passed' : 'failed'] += 1
  }
  return runVitest(tally, [])
}

type Tally = { passed: number; failed: number; skipped: number }

/** Answers undefined when all is well, otherwise what is wrong. */
type Check = { name: string; needs?: string; run: () => Promise<string | undefined> }

const checks: Check[] = [
  { name: 'pinned Node', run: checkNode },
  { name: 'Chromium for the browser tests', run: () => findChromium().then(() => undefined) },
  { name: 'types', run: () => succeeds('tsc', ['-p', 'tsconfig.json']) },
  { name: 'lint and format', run: () => succeeds('biome', ['check', '--colors=off', '.']) },
  { name: 'unused code and files', run: () => succeeds('knip', ['--no-progress']) },
  {
    name: 'generated references are up to date',
    needs: 'contract/src/generate.ts',
    run: () => succeeds(process.execPath, ['contract/src/generate.ts', '--check']),
  },
  {
    name: 'generated policies are up to date',
    needs: 'server/tools/generate-policies.ts',
    run: () => succeeds(process.execPath, ['server/tools/generate-policies.ts', '--check']),
  },
  { name: 'console builds', needs: 'console/index.html', run: () => succeeds('vite', ['build', 'console']) },
]

async function checkNode(): Promise<string | undefined> {
  const { devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { devDependencies: { node: string } }
  if (process.version === `v${devDependencies.node}`) return undefined
  return `This is Node ${process.version}, and the project is tested on ${devDependencies.node}, which "npm ci" installs. Use "npm test".`
}

async function succeeds(program: string, args: string[]): Promise<string | undefined> {
  const { code, output } = await run(program, args, { quiet: true, timeoutMs: 600_000 })
  return code === 0 ? undefined : `${output}\n${program} ended with ${code}`
}

async function runVitest(tally: Tally, filters: string[]): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'turnpike-report-'))
  const file = join(folder, 'report.json')
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...filters]
  const { code } = await run('vitest', args, { quiet: false, timeoutMs: 3_600_000 })
  const report = readReport(file)
  rmSync(folder, { recursive: true, force: true })
  tally.passed += report.passed
  tally.skipped += report.skipped
  // A run that went wrong without a failed test, such as an error outside of any, still counts as a failure.
  tally.failed += code === 0 ? report.failed : Math.max(report.failed, 1)
  return tally
}

type Report = {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  testResults: { status: string; assertionResults: unknown[] }[]
}

function readReport(file: string): Tally {
  let report: Report
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as Report
  } catch {
    // A run that broke down leaves no report, or half of one; its exit code already counts as a failure.
    return { passed: 0, failed: 0, skipped: 0 }
  }
  const broken = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

async function run(
  program: string,
  args: string[],
  how: { quiet: boolean; timeoutMs: number },
): Promise<{ code: number | string; output: string }> {
  const child = spawn(program, args, {
    stdio: ['ignore', how.quiet ? 'pipe' : 'inherit', how.quiet ? 'pipe' : 'inherit'],
    env: { ...process.env, TZ: 'UTC', PATH: `${join(process.cwd(), 'node_modules/.bin')}:${process.env.PATH}` },
    timeout: how.timeoutMs,
    killSignal: 'SIGKILL',
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (part: Buffer) => {
      output = (output + part).slice(-20_000)
    })
  }
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: error.message, output }))
    child.once('close', (code, signal) => resolve({ code: code ?? signal ?? 'no answer', output }))
  })
}

process.chdir(join(import.meta.dirname, '../..'))
const { passed, failed, skipped } = await runTests(process.argv.slice(2))
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed > 0 ? 1 : 0
