import pino from 'pino'

export type Log = pino.Logger

/** Structured log. Secrets are redacted by construction: these paths never reach the output (PRV-2, SEC-3). */
export const createLog = (level: string): Log =>
  pino({
    level,
    base: undefined,
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
