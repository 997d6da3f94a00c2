import { readFileSync } from 'node:fs'
import { routes } from '@turnpike/contract'
import { expect, test } from 'vitest'
import { partSize } from '../../src/flows/replay-webhooks.ts'
import { rowsAMinute } from '../../src/flows/steps/record-refused-webhooks.ts'
import { leaseSeconds } from '../../src/flows/sync-customer.ts'
import { attemptsMax, holdDaysMax } from '../../src/platform/inbox.ts'
import { failuresToOpen, longestPauseMs } from '../../src/providers/stripe/circuit.ts'
import { toleranceSeconds } from '../../src/providers/stripe/verify.ts'

test('the policy of webhooks names the numbers of the code (WEB-1, WEB-4)', () => {
  const policy = readFileSync('docs/policies/webhooks.md', 'utf8')
  const numbers: [string, string][] = [
    ['Age of a signature, either way', `${toleranceSeconds} s`],
    ['Body at most', `${routes.receiveWebhook.bodyLimit} bytes`],
    ['Refusals of one reason in the audit each minute, before they are only counted', String(rowsAMinute)],
    ['Attempts before a dead letter', String(attemptsMax)],
    ['Days that events wait for a silent provider', String(holdDaysMax)],
    ['Lease of one look', `${leaseSeconds} s`],
    ['Failures in a row that open the circuit', String(failuresToOpen)],
    ['Longest pause of the circuit', `${longestPauseMs / 1_000} s`],
    ['Replayed in one part', String(partSize)],
  ]
  for (const [what, value] of numbers) expect(policy).toContain(`| ${what} | ${value} |`)
})
