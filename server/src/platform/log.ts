import pino from 'pino'

export type Log = pino.Logger

type Described = { type: string; message: string; code?: string; stack?: string; cause?: Described }

// Driver errors carry connection settings and parameters: only what helps to find a defect is written (WEB-5, SEC-3).
const describe = (error: unknown, depth = 0): Described => {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error).slice(0, 500) }
  const { code } = error as { code?: unknown }
  return {
    type: error.name,
    message: error.message,
    ...(typeof code === 'string' ? { code } : {}),
    ...(depth === 0 && error.stack ? { stack: error.stack } : {}),
    ...(error.cause !== undefined && depth < 3 ? { cause: describe(error.cause, depth + 1) } : {}),
  }
}

/** Structured log. Secrets are redacted by construction: these paths never reach the output (PRV-2, SEC-3). */
export const createLog = (level: string): Log =>
  pino({
    level,
    base: undefined,
    serializers: { err: (error: unknown) => describe(error) },
    redact: {
      paths: [
        'authorization',
        '*.authorization',
        'headers.authorization',
        'req.headers',
        '*.key',
        '*.secret',
        '*.token',
        'err.parameters',
        'err.where',
      ],
      censor: '[redacted]',
    },
  })
