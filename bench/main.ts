import { measureChecks } from './checks.ts'
import { measureClose } from './close.ts'
import { measureInProcess } from './in-process.ts'
import { measureRating } from './rating.ts'
import { measureReplicaLag } from './replica.ts'
import { measureStorage } from './storage.ts'
import { type Answer, printAnswer, writeResults } from './support/report.ts'
import { fullScale, quickScale } from './support/scale.ts'
import { startWorld } from './support/world.ts'
import { measureUsage } from './usage.ts'
import { measureWebhooks } from './webhooks.ts'

// `npm run bench`, `npm run bench -- --quick`, `npm run bench -- --only usage`.
const questions = {
  replica: measureReplicaLag,
  memory: measureInProcess,
  rating: measureRating,
  checks: measureChecks,
  usage: measureUsage,
  close: measureClose,
  webhooks: measureWebhooks,
  storage: measureStorage,
}
const quick = process.argv.includes('--quick')
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : undefined
if (only !== undefined && !Object.hasOwn(questions, only)) {
  console.error(`--only takes one of: ${Object.keys(questions).join(', ')}`)
  process.exit(64)
}

const begin = performance.now()
const world = await startWorld()
const answers: Answer[] = []
const stop = () => void world.stop().finally(() => process.exit(130))
process.once('SIGINT', stop)
process.once('SIGTERM', stop)
try {
  for (const [name, measure] of Object.entries(questions)) {
    if (only !== undefined && only !== name) continue
    const answer = await measure(world, quick ? quickScale : fullScale)
    answers.push(answer)
    printAnswer(answer)
  }
  const settings: Record<string, string> = {}
  for (const name of ['server_version', 'fsync', 'synchronous_commit', 'shared_buffers', 'max_wal_size'])
    settings[name] = (await world.sql.query(`show ${name}`)).rows[0][name]
  const seconds = (performance.now() - begin) / 1_000
  // A part of the figures, or hurried ones, do not replace what was kept.
  if (only === undefined && !quick) writeResults(answers, settings, seconds)
  console.log(
    `\n${seconds.toFixed(0)} s; flushes each commit: fsync ${settings.fsync}, synchronous_commit ${settings.synchronous_commit}`,
  )
} finally {
  await world.stop()
}
