import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createHost, type HostOptions } from './app.ts'

/** From the environment, or from the demonstration that `npm start` leaves in `.turnpike/demo.json`. */
const readOptions = (): HostOptions => {
  const { TURNPIKE_URL, TURNPIKE_KEY } = process.env
  if (TURNPIKE_URL && TURNPIKE_KEY) return { turnpikeUrl: TURNPIKE_URL, credential: TURNPIKE_KEY }
  const file = join(import.meta.dirname, '../../../.turnpike/demo.json')
  const { apiUrl, serviceKey } = JSON.parse(readFileSync(file, 'utf8')) as { apiUrl: string; serviceKey: string }
  return { turnpikeUrl: apiUrl, credential: serviceKey }
}

const app = await createHost(readOptions())
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close())
console.log(
  `The notes host listens on ${await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 4300) })}`,
)
