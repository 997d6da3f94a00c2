import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'

export type Figure = {
  name: string
  value: number
  unit: string
  /** Against what was measured beside it in the same run. */
  ratio?: number
  against?: string
  aim?: string
  p50Ms?: number
  p99Ms?: number
}
export type Answer = { question: string; measured: string; limitedBy: string; figures: Figure[] }

const file = join(import.meta.dirname, '../results.json')

const number = (value: number): string =>
  value >= 100
    ? Math.round(value).toLocaleString('en-US')
    : value.toLocaleString('en-US', { maximumSignificantDigits: 3 })

export const printAnswer = (answer: Answer): void => {
  console.log(`\n${answer.question}\n  ${answer.measured}`)
  const lines = answer.figures.map((figure) => [
    figure.name,
    `${number(figure.value)} ${figure.unit}`,
    figure.ratio === undefined ? '' : `${figure.ratio.toFixed(2)} of ${figure.against}`,
    figure.p99Ms === undefined ? '' : `p50 ${number(figure.p50Ms ?? 0)} ms, p99 ${number(figure.p99Ms)} ms`,
    figure.aim ? `aim ${figure.aim}` : '',
  ])
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  for (const line of lines)
    console.log(`  ${line.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`.trimEnd())
  console.log(`  Limited by: ${answer.limitedBy}`)
}

export const writeResults = (answers: Answer[], postgres: Record<string, string>, seconds: number): void => {
  const machine = {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch}`,
    /** Well above the processors' number: other work took part of the machine. */
    loadAverage5Minutes: Math.round(loadavg()[1]! * 10) / 10,
  }
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: import.meta.dirname, encoding: 'utf8' })
  writeFileSync(
    file,
    `${JSON.stringify({ date: new Date().toISOString(), commit: commit.trim(), machine, node: process.version, postgres, seconds: Math.round(seconds), answers }, (_, value) => (typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value), 2)}\n`,
  )
}
