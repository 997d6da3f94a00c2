import { startSandbox } from './index.ts'

const url = process.env.SANDBOX_WEBHOOK_URL
const secret = process.env.SANDBOX_WEBHOOK_SECRET

const sandbox = await startSandbox({
  port: Number(process.env.SANDBOX_PORT ?? 4010),
  stateFile: process.env.SANDBOX_STATE_FILE ?? ':memory:',
  ...(url && secret ? { webhook: { url, secret } } : {}),
  log: process.env.SANDBOX_LOG === '1',
})
console.log(`Stripe-compatible sandbox at ${sandbox.url}`)

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    sandbox.close().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  })
