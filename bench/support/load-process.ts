import { createHmac } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import type { LoadOrder, LoadResult, Traffic } from './load.ts'

// One request at a time on each connection, as a client with a pool of connections sends them.
process.on('message', (order: LoadOrder) => {
  run(order).then(
    (result) => process.send!(result),
    (error: Error) => process.send!({ error: error.message }),
  )
})

/** A round goes on until so many answers have come: on a machine that stood still, time alone says nothing. */
const leastAnswers = 20

let counter = 0

type Request = { body: string; headers: string }

const requestOf = (traffic: Traffic): Request => {
  const n = counter++
  switch (traffic.kind) {
    case 'fixed':
      return { body: traffic.body, headers: '' }
    case 'checks':
      return {
        body: `{"tenantId":"${traffic.prefix}${n % traffic.tenants}","feature":"${traffic.feature}"}`,
        headers: '',
      }
    case 'records':
      return { body: recordOf(traffic, n), headers: '' }
    case 'batches': {
      const records: string[] = []
      for (let i = 0; i < traffic.size; i++) records.push(recordOf(traffic, n * traffic.size + i))
      return { body: `{"records":[${records.join(',')}]}`, headers: '' }
    }
    case 'consumption':
      return {
        body: `{"tenantId":"${traffic.tenantId}","feature":"${traffic.feature}","quantity":1,"consume":true,"idempotencyKey":"${traffic.run}-${n}"}`,
        headers: '',
      }
    case 'webhooks': {
      const created = Math.floor(Date.now() / 1_000)
      // About the size of a subscription as the provider sends it.
      const body = `{"id":"evt_${traffic.run}${n}","object":"event","api_version":"2026-01-01","created":${created},"livemode":false,"type":"customer.subscription.updated","data":{"object":{"id":"sub_bench${n % 64}","object":"subscription","customer":"cus_bench${n % 64}","status":"active","description":"${'x'.repeat(2_000)}"}}}`
      const signature = createHmac('sha256', traffic.secret).update(`${created}.${body}`).digest('hex')
      return { body, headers: `stripe-signature: t=${created},v1=${signature}\r\n` }
    }
  }
}

const recordOf = (traffic: { prefix: string; tenants: number; meter: string; run: string }, n: number): string =>
  `{"tenantId":"${traffic.prefix}${n % traffic.tenants}","meter":"${traffic.meter}","quantity":1,"idempotencyKey":"${traffic.run}-${n}"}`

const run = async (order: LoadOrder): Promise<LoadResult> => {
  const head = `POST ${order.path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n${Object.entries(
    order.headers,
  )
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}`
  const latencies: number[] = []
  const result = { requests: 0, failed: 0, failure: null as string | null, answerBytes: 0, consumed: 0 }
  const begin = performance.now()
  const countFrom = begin + order.warmupMs
  const end = countFrom + order.durationMs
  let sent = 0
  let firstCounted = 0
  let lastCounted = 0

  const work = (socket: Socket): Promise<void> =>
    new Promise((resolve, reject) => {
      let sentAt = 0
      let pieces: Buffer[] = []
      let missing = 0
      const send = () => {
        sentAt = performance.now()
        if (
          (sentAt >= end && result.requests >= leastAnswers) ||
          (order.requestsMax !== undefined && sent >= order.requestsMax)
        ) {
          socket.end()
          resolve()
          return
        }
        sent++
        const { body, headers } = requestOf(order.traffic)
        socket.write(`${head}${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
      }
      const answered = (answer: Buffer) => {
        const at = performance.now()
        if (sentAt >= countFrom) {
          if (firstCounted === 0) firstCounted = sentAt
          lastCounted = at
          latencies.push(at - sentAt)
          result.requests++
          result.answerBytes = answer.length - answer.indexOf('\r\n\r\n') - 4
        }
        // `HTTP/1.1 2…`
        if (answer[9] !== 0x32) {
          result.failed++
          result.failure ??= answer.toString('utf8').slice(0, 2_000)
        }
        if (order.traffic.kind === 'consumption' && answer.includes('"consumed":true')) result.consumed++
        send()
      }
      socket.on('data', (chunk: Buffer) => {
        let piece = chunk
        if (missing > 0) {
          pieces.push(piece)
          missing -= piece.length
        } else {
          if (pieces.length > 0) piece = Buffer.concat([...pieces, piece])
          const ending = piece.indexOf('\r\n\r\n')
          if (ending < 0) {
            pieces = [piece]
            return
          }
          const length = /content-length: (\d+)/i.exec(piece.toString('latin1', 0, ending))
          if (!length) {
            reject(new Error('an answer without content-length'))
            return
          }
          pieces = [piece]
          missing = ending + 4 + Number(length[1]) - piece.length
        }
        if (missing > 0) return
        const answer = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
        pieces = []
        missing = 0
        answered(answer)
      })
      socket.on('error', reject)
      socket.on('close', () => resolve())
      send()
    })

  const sockets = await Promise.all(
    Array.from(
      { length: order.connections },
      () =>
        new Promise<Socket>((resolve, reject) => {
          const socket = connect({ host: '127.0.0.1', port: order.port, noDelay: true }, () => resolve(socket))
          socket.once('error', reject)
        }),
    ),
  )
  await Promise.all(sockets.map(work))
  const sorted = Float64Array.from(latencies).sort()
  const seconds = (lastCounted - firstCounted) / 1_000
  return {
    ...result,
    seconds,
    perSecond: result.requests / seconds,
    p50Ms: sorted[Math.floor(sorted.length * 0.5)] ?? 0,
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
  }
}
