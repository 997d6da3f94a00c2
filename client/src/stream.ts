import type { EventEnvelope } from '@turnpike/contract'
import { createParser } from 'eventsource-parser'
import { isOutage, TurnpikeError } from './errors.ts'
import { backoffMs, type Transport } from './transport.ts'

export type StreamOptions = {
  /** The position to go on after; from the beginning of the feed when left out. */
  after?: string
  tenantId?: string
  /** Ends the iteration without an error. */
  signal?: AbortSignal
  /** Told when the stream is open, and when it broke and is being opened again. */
  onState?: (state: 'connected' | 'disconnected', error: unknown) => void
  /**
   * A stream without a sign of life for so long is opened again; 45 s unless told. A connection that was cut without a
   * word looks like a quiet one, and a needless reconnect loses and repeats nothing.
   */
  idleMs?: number
}

/**
 * Every event after a position, for ever: reconnects from the last event that was handed out, so that nothing is lost or
 * repeated. Throws only when the service turns the request itself down (credential, permission, position).
 */
export async function* streamEvents(transport: Transport, options: StreamOptions = {}): AsyncGenerator<EventEnvelope> {
  const { signal, tenantId, onState, idleMs = 45_000 } = options
  let position = options.after
  let failures = 0
  while (!signal?.aborted) {
    const connection = new AbortController()
    const stopped = signal ? AbortSignal.any([signal, connection.signal]) : connection.signal
    let broken: unknown = null
    try {
      const body = await transport.openStream({
        method: 'GET',
        path: '/events/stream',
        query: { after: position, tenantId },
        signal: stopped,
      })
      onState?.('connected', null)
      for await (const events of batchesOf(body, idleMs)) {
        failures = 0
        for (const event of events) {
          if (event.position === position) continue
          position = event.position
          yield event
        }
      }
    } catch (error) {
      if (signal?.aborted) return
      if (error instanceof TurnpikeError && !isOutage(error)) throw error
      broken = error
    } finally {
      connection.abort()
    }
    onState?.('disconnected', broken)
    await transport.wait(backoffMs(failures++), signal).catch(() => undefined)
  }
}

/** The events of each piece that arrives. A piece without an event (a heartbeat) is an empty batch. */
async function* batchesOf(body: ReadableStream<Uint8Array>, idleMs: number): AsyncGenerator<EventEnvelope[]> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let batch: EventEnvelope[] = []
  const parser = createParser({ onEvent: (message) => batch.push(eventOf(message.data)) })
  for (;;) {
    const { promise: silence, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new TurnpikeError('timeout', 'The event stream went silent.')), idleMs)
    const piece = await Promise.race([reader.read(), silence]).finally(() => clearTimeout(timer))
    if (piece.done) return
    batch = []
    parser.feed(decoder.decode(piece.value, { stream: true }))
    yield batch
  }
}

const eventOf = (data: string): EventEnvelope => {
  try {
    return JSON.parse(data) as EventEnvelope
  } catch (cause) {
    throw new TurnpikeError('unexpected_answer', 'The event stream carries something that is not an event.', {
      status: 200,
      retry: 'never',
      cause,
    })
  }
}
