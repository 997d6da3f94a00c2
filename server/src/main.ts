import { startApp } from './app.ts'
import { readConfig } from './config.ts'
import { createLog } from './platform/log.ts'

const read = readConfig(process.env)
if ('problems' in read) {
  console.error('Turnpike cannot start:')
  for (const problem of read.problems)
    console.error(`  ${problem.variable} ${problem.wrong}. Example: ${problem.example}`)
  process.exit(78)
}

const log = createLog(read.config.logLevel)
process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))

const app = await startApp(read.config, log).catch((error: unknown) => {
  log.fatal({ err: error }, 'Turnpike could not start')
  process.exit(1)
})
log.info({ url: app.url, provider: read.config.provider }, 'Turnpike is running')

const stop = (signal: string) => {
  log.info({ signal }, 'stopping')
  // Longer than any request may take; then the system ends us.
  setTimeout(() => process.exit(1), 20_000).unref()
  app.stop().then(
    () => process.exit(0),
    (error: unknown) => {
      log.error({ err: error }, 'did not stop cleanly')
      process.exit(1)
    },
  )
}
process.on('SIGTERM', () => stop('SIGTERM'))
process.on('SIGINT', () => stop('SIGINT'))
