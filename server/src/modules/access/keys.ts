import { randomBytes } from 'node:crypto'
import { sha256 } from '../../core/canonical.ts'
import { isBefore } from '../../core/period.ts'
import type { Db } from '../../platform/db.ts'
import { type Credential, credentialOfKey } from './credential.ts'
import { findKeyByHash } from './store.ts'

const shape = /^tpk_[A-Za-z0-9_-]{32,64}$/

/** 256 bits of chance: too many to guess, so one fast hash is enough to keep. */
export const newKeySecret = (): string => `tpk_${randomBytes(32).toString('base64url')}`

export const hashKey = (secret: string): Buffer => sha256(secret)

const looksLikeKey = (secret: string): boolean => shape.test(secret)

/** The credential of a live key, or null for unknown, revoked and expired ones alike. */
export const authenticateKey = async (db: Db, secret: string, at: Temporal.Instant): Promise<Credential | null> => {
  if (!looksLikeKey(secret)) return null
  const key = await findKeyByHash(db, hashKey(secret))
  if (!key || key.revokedAt !== null || (key.expiresAt !== null && !isBefore(at, key.expiresAt))) return null
  return credentialOfKey(key)
}
