import { describe, expect, test } from 'vitest'
import { addressOf, isMailAddress, mailOf } from './message.ts'

describe('addresses that may be written to', () => {
  test.each(['ana@acme.example', 'a.b+c@sub.acme.example', "o'neill@acme.example", 'root@localhost'])(
    '%s',
    (address) => {
      expect(isMailAddress(address)).toBe(true)
    },
  )

  test.each([
    '',
    'ana',
    'ana@',
    '@acme.example',
    'ana@acme.example\r\nBcc: all@example.com',
    'ana@acme.example, bob@acme.example',
    'ana@acme.example>',
    '"ana b"@acme.example',
    'ana(comment)@acme.example',
    'ana@acme..example',
    'ana@-acme.example',
    'ana @acme.example',
    'ana@acme.example\u0000',
    'аna@acme.example',
    `${'a'.repeat(65)}@acme.example`,
    `ana@${'a'.repeat(250)}.example`,
  ])('not %j', (address) => {
    expect(isMailAddress(address)).toBe(false)
  })

  test('a sender has a name or none', () => {
    expect(addressOf('Acme Billing <billing@acme.example>')).toEqual({
      name: 'Acme Billing',
      address: 'billing@acme.example',
    })
    expect(addressOf('"Acme, Inc." <billing@acme.example>')?.name).toBe('Acme, Inc.')
    expect(addressOf('billing@acme.example')).toEqual({ name: '', address: 'billing@acme.example' })
    expect(addressOf('billing')).toBeNull()
  })
})

const notice = {
  noticeId: 'notice_1',
  copies: 0,
  recipients: ['ana@acme.example'],
  subject: 'One\r\nBcc: all@example.com',
  text: 'Text',
  html: '<p>Text</p>',
  createdAt: Temporal.Instant.from('2027-01-01T00:00:00Z'),
}
const from = { name: '', address: 'billing@acme.example' }

test('a subject cannot become a header, an address not a list', () => {
  expect(mailOf(notice, from).subject).toBe('One Bcc: all@example.com')
  expect(() => mailOf({ ...notice, recipients: ['ana@acme.example\nBcc: all@example.com'] }, from)).toThrow()
  expect(() => mailOf({ ...notice, recipients: [] }, from)).toThrow()
})

test('the Message-ID follows from the notice; a copy that was asked for has another', () => {
  expect(mailOf(notice, from).messageId).toBe('<notice_1@acme.example>')
  expect(mailOf({ ...notice, copies: 2 }, from).messageId).toBe('<notice_1.2@acme.example>')
})
