import { expect, test } from 'vitest'
import { nextAttempt } from './next-attempt.ts'

test.each([
  ['nobody answers', { reply: null, at: 'connection' }, 1, 'retrying', 'mail_server_unreachable'],
  ['the recipient is refused for now', { reply: 450, at: 'recipient' }, 1, 'retrying', 'recipient_refused_450'],
  ['the recipient is refused', { reply: 550, at: 'recipient' }, 1, 'failed', 'recipient_refused_550'],
  ['the message is refused', { reply: 554, at: 'content' }, 1, 'failed', 'content_refused_554'],
  ['the message is refused for now', { reply: 451, at: 'content' }, 1, 'retrying', 'content_refused_451'],
  ['our login is refused: nobody’s fault but ours', { reply: 535, at: 'login' }, 1, 'retrying', 'login_refused_535'],
  ['our address is refused', { reply: 553, at: 'sender' }, 1, 'retrying', 'sender_refused_553'],
  ['the last attempt', { reply: null, at: 'connection' }, 9, 'failed', 'mail_server_unreachable'],
] as const)('when %s', (_, refusal, attempts, state, error) => {
  expect(nextAttempt(refusal, attempts)).toMatchObject({ state, error })
})

test('the pauses grow, and end after two days', () => {
  const waits = Array.from({ length: 8 }, (_, index) => nextAttempt({ reply: 450, at: 'content' }, index + 1)).map(
    (next) => ('waitSeconds' in next ? next.waitSeconds : 0),
  )
  expect(waits).toEqual([...waits].sort((a, b) => a - b))
  expect(waits[0]).toBe(60)
  expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeLessThan(2 * 86_400)
})
