import { expect, test } from 'vitest'
import { handsOver, isOpen, type OwnerTransferRecord } from './owner-transfer.ts'

const ana = { personId: 'ana' }
const bob = { personId: 'bob' }
const operator = { personId: null }

test.each<[string, { personId: string }[], Parameters<typeof handsOver>[1], ReturnType<typeof handsOver>]>([
  ['the owner who asks', [ana, bob], { personId: 'ana' }, { from: 'ana' }],
  ['the owner who is named', [ana, bob], { ...operator, fromPersonId: 'bob' }, { from: 'bob' }],
  ['the only one', [ana], operator, { from: 'ana' }],
  ['nobody, where there is none yet', [], operator, { from: null }],
  ['nobody, where a person asks and there is none yet', [], { personId: 'eve' }, { from: null }],
  ['nobody, when the owner stays', [ana], { personId: 'ana', stays: true }, { from: null }],
  ['nobody, when all of several stay', [ana, bob], { ...operator, stays: true }, { from: null }],
  ['unclear among several', [ana, bob], operator, 'unknown'],
  ['unknown when it is none of them', [ana], { ...operator, fromPersonId: 'eve' }, 'unknown'],
  ['unknown when there is none', [], { ...operator, fromPersonId: 'eve' }, 'unknown'],
  ['not for a person who is no owner', [ana], { personId: 'eve' }, 'not_owner'],
  ['not what is another’s', [ana, bob], { personId: 'ana', fromPersonId: 'bob' }, 'not_owner'],
])('who hands over: %s (CUS-3)', (_, owners, request, expected) => {
  expect(handsOver(owners, request)).toEqual(expected)
})

const transfer: OwnerTransferRecord = {
  tenantId: 'acme',
  transferId: 'transfer_1',
  state: 'requested',
  fromPersonId: null,
  toEmail: 'bob@acme.example',
  toName: 'Bob',
  toPersonId: null,
  requestedBy: 'ana',
  requestedAt: Temporal.Instant.from('2026-01-01T00:00:00Z'),
  expiresAt: Temporal.Instant.from('2026-01-08T00:00:00Z'),
  endedAt: null,
}

test.each([
  ['before its end', 'requested', '2026-01-07T23:59:59Z', true],
  ['not at its end', 'requested', '2026-01-08T00:00:00Z', false],
  ['not once answered', 'confirmed', '2026-01-02T00:00:00Z', false],
  ['not once taken back', 'canceled', '2026-01-02T00:00:00Z', false],
] as const)('a transfer is open: %s', (_, state, at, open) => {
  expect(isOpen({ ...transfer, state }, Temporal.Instant.from(at))).toBe(open)
})
