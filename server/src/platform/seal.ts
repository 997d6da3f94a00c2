import { jwtVerify, SignJWT } from 'jose'

/** What a sealed text is for. One made for something else does not open. */
type Purpose = 'change-preview' | 'export-link' | 'owner-transfer'

/**
 * Short texts that only this service can have written, and that end by themselves: what a preview was made from, the right
 * to fetch one archive. Anybody may read what is inside; nobody can change it.
 */
export type Seal = {
  close(purpose: Purpose, content: Record<string, unknown>, expiresAt: Temporal.Instant): Promise<string>
  /** Null for a text that is not ours, was changed, was made for something else, or has ended. */
  open(purpose: Purpose, sealed: string, at: Temporal.Instant): Promise<Record<string, unknown> | null>
}

/** The first secret closes, all of them open: so that a secret can be exchanged without a break. */
export const createSeal = (secrets: readonly string[]): Seal => {
  const keys = secrets.map((secret) => new TextEncoder().encode(secret))
  return {
    close: (purpose, content, expiresAt) =>
      new SignJWT({ content })
        .setProtectedHeader({ alg: 'HS256' })
        .setAudience(purpose)
        .setExpirationTime(Math.floor(expiresAt.epochMilliseconds / 1_000))
        .sign(keys[0]!),
    open: async (purpose, sealed, at) => {
      for (const key of keys) {
        const opened = await jwtVerify<{ content: Record<string, unknown> }>(sealed, key, {
          algorithms: ['HS256'],
          audience: purpose,
          requiredClaims: ['exp', 'content'],
          currentDate: new Date(at.epochMilliseconds),
        }).catch(() => null)
        if (opened) return opened.payload.content
      }
      return null
    },
  }
}
