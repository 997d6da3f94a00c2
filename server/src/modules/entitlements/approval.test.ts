import { describe, expect, test } from 'vitest'
import { approvalNeeded, policyBreach } from './approval.ts'

const at = Temporal.Instant.from('2027-01-01T00:00:00Z')
const inDays = (days: number) => at.add({ hours: 24 * days })
const wish = (more: Partial<Parameters<typeof approvalNeeded>[1]> = {}) => ({
  feature: 'exports',
  set: { limit: 100 },
  expiresAt: inDays(10),
  ...more,
})

describe('what policy has against an override (ENT-2)', () => {
  test.each([
    ['no policy, no end', undefined, null, null],
    ['an end is asked for and given', { requireExpiry: true }, inDays(1), null],
    ['an end is asked for and missing', { requireExpiry: true }, null, 'Policy asks for an end.'],
    ['just as long as allowed', { maxDays: 30 }, inDays(30), null],
    [
      'a second longer',
      { maxDays: 30 },
      inDays(30).add({ seconds: 1 }),
      'Policy lets an override last 30 days at most.',
    ],
    ['without an end where there is a longest', { maxDays: 30 }, null, 'Policy asks for an end.'],
  ])('%s', (_, policy, expiresAt, breach) => {
    expect(policyBreach(policy, wish({ expiresAt }), at)).toBe(breach)
  })
})

describe('when a second person is needed (ENT-2)', () => {
  test.each([
    ['no policy', undefined, wish(), false],
    ['a policy without a second person', { maxDays: 30 }, wish(), false],
    ['a feature that is named', { secondPerson: { features: ['exports'] } }, wish(), true],
    ['another feature', { secondPerson: { features: ['sso'] } }, wish(), false],
    ['as long as one person may', { secondPerson: { aboveDays: 10 } }, wish(), false],
    ['longer', { secondPerson: { aboveDays: 9 } }, wish(), true],
    ['without an end', { secondPerson: { aboveDays: 3_650 } }, wish({ expiresAt: null }), true],
    ['no limit any more', { secondPerson: { unlimited: true } }, wish({ set: { limit: null } }), true],
    ['a limit, however high', { secondPerson: { unlimited: true } }, wish({ set: { limit: 1e14 } }), false],
    ['no limit where nobody minds', { secondPerson: {} }, wish({ set: { limit: null } }), false],
  ])('%s', (_, policy, asked, needed) => {
    expect(approvalNeeded(policy, asked, at)).toBe(needed)
  })
})
