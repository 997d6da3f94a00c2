import { fail } from '../../core/errors.ts'

/** A time zone that there is, as its database calls it. Offsets are none: they know nothing of summer. */
export const knownTimeZone = (name: string): string => {
  try {
    const known = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone
    if (/^[A-Za-z]/.test(known)) return known
  } catch {
    // Said below.
  }
  throw fail('invalid_request', {
    errors: [{ field: 'timeZone', message: 'Not a time zone of the IANA database, such as Europe/Berlin.' }],
  })
}
