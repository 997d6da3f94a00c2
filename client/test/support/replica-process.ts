import { openReplica } from '../../src/gateway/index.ts'
import { createClient } from '../../src/index.ts'

// A replica in a process of its own, for tests that kill it. Says when it has moved on from where it began.
const [baseUrl, file] = process.argv.slice(2) as [string, string]
const replica = await openReplica({ file, client: createClient({ baseUrl, credential: 'key_1' }) })
process.once('disconnect', () => process.exit())
const began = replica.status().position
const look = () => {
  if (replica.status().position === began) setImmediate(look)
  else process.send?.('moved')
}
look()
