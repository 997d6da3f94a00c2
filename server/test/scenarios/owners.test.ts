import { type Client, createClient } from '@turnpike/client'
import type { Role } from '@turnpike/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expireOwnerTransfers } from '../../src/flows/change-owner.ts'
import { ownerTransferLink } from '../../src/flows/steps/owner-transfer-link.ts'
import { tellContact } from '../../src/flows/tell-contact.ts'
import { findTransferById } from '../../src/modules/customers/index.ts'
import { query, sql } from '../../src/platform/db.ts'
import { stripeOf } from '../support/pay.ts'
import { startHost } from '../support/people.ts'
import { auditOf, eventsOf, subscribed } from '../support/story.ts'
import { eventually, startWorld, type World } from '../support/world.ts'

let world: World
let host: Awaited<ReturnType<typeof startHost>>
beforeAll(async () => {
  host = await startHost()
  world = await startWorld({ env: host.env })
})
afterAll(() => world?.stop())

const ana = { personId: 'ana', email: 'ana@host.example', name: 'Ana' }
const bob = { email: 'bob@host.example', name: 'Bob' }

/** A customer whose first owner is Ana. */
const company = async (tenantId: string, owner: typeof ana | null = ana) => {
  const { data } = await world.operator.createCustomer({
    body: { tenantId, name: tenantId, email: `billing@${tenantId}.example`, ...(owner ? { owner } : {}) },
  })
  return { tenantId, customerId: data.id, params: { customerId: data.id } }
}
const person = async (personId: string, tenantId: string, role: Role = 'owner'): Promise<Client> =>
  createClient({
    baseUrl: world.app.url,
    credential: await host.tokenOf(personId, tenantId, role, world.clock.now()),
  })
/** The token of the letter that the new owner gets. */
const tokenOf = async (transferId: string): Promise<string> =>
  (await ownerTransferLink(world.app.deps, (await findTransferById(world.app.deps.db, transferId))!)).token
const ownersOf = async (customerId: string) =>
  (await world.operator.listOwners({ params: { customerId } })).data.map(({ personId }) => personId)
const about = (types: string[]) => types.filter((type) => type.startsWith('owner.'))
const code = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'done',
    (error: { code?: string }) => String(error.code),
  )

describe('handing over', () => {
  test('the new owner confirms with the letter; bills go there from then on, and the portal goes on (CUS-3)', async () => {
    const buyer = await subscribed(world, 'hands-over')
    const params = { customerId: buyer.customerId }
    const { data: first } = await world.operator.requestOwnerTransfer({
      params,
      body: { to: { ...ana } },
    })
    await (await person('ana', 'hands-over', 'member')).confirmOwnerTransfer({
      params: { transferId: first.id },
      body: { token: await tokenOf(first.id) },
    })
    const { data: transfer } = await (await person('ana', 'hands-over')).requestOwnerTransfer({
      params,
      body: { to: bob },
    })
    expect(transfer).toMatchObject({ state: 'requested', fromPersonId: 'ana', requestedBy: 'ana', endedAt: null })
    expect(await ownersOf(buyer.customerId)).toEqual(['ana'])

    const { data: confirmed } = await (await person('bob', 'hands-over', 'viewer')).confirmOwnerTransfer({
      params: { transferId: transfer.id },
      body: { token: await tokenOf(transfer.id) },
    })
    expect(confirmed).toMatchObject({ state: 'confirmed', to: { ...bob, personId: 'bob' } })
    expect(await ownersOf(buyer.customerId)).toEqual(['bob'])
    expect((await world.operator.getCustomer({ params })).data.email).toBe(bob.email)
    const at = await stripeOf(world).customers.retrieve(buyer.providerCustomerId)
    expect(at).toMatchObject({ email: bob.email })
    const portal = await buyer.owner.createSession({ body: { kind: 'portal' } })
    expect(portal.data.sessionUrl).toMatch(/^http/)

    expect((await auditOf(world, 'hands-over')).filter((action) => action.startsWith('owner.'))).toEqual([
      'owner.transfer_request',
      'owner.transfer_confirmed',
      'owner.transfer_request',
      'owner.transfer_confirmed',
    ])
    const types = await eventsOf(world, 'hands-over', (seen) => about(seen).length === 6)
    expect(about(types)).toEqual([
      'owner.transfer_requested',
      'owner.changed',
      'owner.transfer_ended',
      'owner.transfer_requested',
      'owner.changed',
      'owner.transfer_ended',
    ])
  })

  test('an address that the customer changes is the one that the provider writes to (CUS-3)', async () => {
    const buyer = await subscribed(world, 'moves-house')
    const params = { customerId: buyer.customerId }
    await world.control('POST', '/sandbox/faults', { kind: 'api', action: 'outage', path: '/v1/customers/*' })
    await buyer.owner.updateCustomer({ params, body: { email: 'new@moves-house.example' } })
    await world.control('DELETE', '/sandbox/faults')
    await tellContact(world.app.deps)
    expect(await stripeOf(world).customers.retrieve(buyer.providerCustomerId)).toMatchObject({
      email: 'new@moves-house.example',
    })
  })

  test('neither feed nor audit carries the token or the address of a person (CUS-3, PRV-1)', async () => {
    const { params, tenantId } = await company('discreet')
    const { data: transfer } = await (await person('ana', tenantId)).requestOwnerTransfer({ params, body: { to: bob } })
    const token = await tokenOf(transfer.id)
    await (await person('bob', tenantId)).confirmOwnerTransfer({ params: { transferId: transfer.id }, body: { token } })
    await eventsOf(world, tenantId, (types) => types.includes('owner.transfer_ended'))
    const rows = await query<{ text: string }>(
      world.app.deps.db,
      sql`select data::text as text from outbox where tenant_id = ${tenantId}
          union all select concat(before, after, reason) from audit_log where tenant_id = ${tenantId}
          union all select answer from idempotency_keys`,
    )
    for (const { text } of rows) expect(text ?? '').not.toContain(token)
    const feed = await world.operator.listEvents({ query: { tenantId, limit: 1_000 } })
    expect(JSON.stringify(feed.data)).not.toContain('@host.example')
  })

  test('the letter works once, for the person it was meant for, of the same tenant (CUS-3)', async () => {
    const { params, tenantId, customerId } = await company('careful')
    const owner = await person('ana', tenantId)
    const { data: transfer } = await owner.requestOwnerTransfer({ params, body: { to: { ...bob, personId: 'bob' } } })
    const { data: others } = await (await person('ana', (await company('careful-too')).tenantId)).requestOwnerTransfer({
      params: (await world.operator.listCustomers({ query: { search: 'careful-too' } })).data.map(({ id }) => ({
        customerId: id,
      }))[0]!,
      body: { to: bob },
    })
    const id = { transferId: transfer.id }
    const token = await tokenOf(transfer.id)
    const confirm = async (who: Client, with_ = token) =>
      code(who.confirmOwnerTransfer({ params: id, body: { token: with_ } }))

    expect(await confirm(await person('eve', tenantId))).toBe('owner_link_invalid')
    expect(await confirm(await person('bob', 'careful-too'))).toBe('not_found')
    expect(await confirm(await person('bob', tenantId), await tokenOf(others.id))).toBe('owner_link_invalid')
    expect(await confirm(await person('bob', tenantId), `${token.slice(0, -2)}AA`)).toBe('owner_link_invalid')
    const exported = await world.app.deps.seal.close(
      'export-link',
      { transferId: transfer.id, toEmail: bob.email },
      world.clock.now().add({ hours: 1 }),
    )
    expect(await confirm(await person('bob', tenantId), exported)).toBe('owner_link_invalid')
    expect(await confirm(await world.as('owner', tenantId))).toBe('owner_link_invalid')
    expect(await ownersOf(customerId)).toEqual(['ana'])
    const denied = (await world.operator.listAudit({ query: { tenantId, result: 'denied', limit: 50 } })).data
    expect(denied.filter(({ action }) => action === 'owner.transfer_confirmed')).toHaveLength(5)

    expect(await confirm(await person('bob', tenantId))).toBe('done')
    expect(await confirm(await person('bob', tenantId))).toBe('owner_transfer_ended')
    expect(await ownersOf(customerId)).toEqual(['bob'])
  })

  test('declined, taken back or not answered in time, it changes nothing (CUS-3)', async () => {
    const { params, tenantId, customerId } = await company('undecided')
    const owner = await person('ana', tenantId)
    const ask = async () => (await owner.requestOwnerTransfer({ params, body: { to: bob } })).data.id
    const declined = await ask()
    await (await person('bob', tenantId)).declineOwnerTransfer({
      params: { transferId: declined },
      body: { token: await tokenOf(declined) },
    })
    const canceled = await ask()
    await owner.cancelOwnerTransfer({ params: { transferId: canceled } })
    const token = await tokenOf(canceled)
    const late = (transferId: string, letter: string) => async () =>
      code((await person('bob', tenantId)).confirmOwnerTransfer({ params: { transferId }, body: { token: letter } }))
    expect(await late(canceled, token)()).toBe('owner_transfer_ended')

    const expired = await ask()
    const letter = await tokenOf(expired)
    await world.advance('P7DT1S')
    expect(await late(expired, letter)()).toBe('owner_transfer_ended')
    await expireOwnerTransfers(world.app.deps)
    const { data: transfers } = await world.operator.listOwnerTransfers({ params })
    expect(transfers.map(({ state }) => state)).toEqual(['expired', 'canceled', 'declined'])
    expect(await ownersOf(customerId)).toEqual(['ana'])
    expect((await world.operator.getCustomer({ params })).data.email).toBe('billing@undecided.example')
    expect((await auditOf(world, tenantId)).filter((action) => action.startsWith('owner.transfer_'))).toEqual([
      'owner.transfer_request',
      'owner.transfer_declined',
      'owner.transfer_request',
      'owner.transfer_canceled',
      'owner.transfer_request',
      'owner.transfer_expired',
    ])
    expect(await expireOwnerTransfers(world.app.deps)).toBe(0)
  })

  test('one at a time: a second one waits, also for two who ask at once (CUS-3)', async () => {
    const { params, tenantId } = await company('hasty')
    const owner = await person('ana', tenantId)
    const asked = await Promise.all(
      ['bob', 'eve', 'joe'].map((name) =>
        code(owner.requestOwnerTransfer({ params, body: { to: { email: `${name}@host.example`, name } } })),
      ),
    )
    expect(asked.sort()).toEqual(['done', 'owner_transfer_open', 'owner_transfer_open'])
    await world.advance('P7DT1S')
    const later = await person('ana', tenantId)
    expect(await code(later.requestOwnerTransfer({ params, body: { to: bob } }))).toBe('done')
    expect((await world.operator.listOwnerTransfers({ params })).data.map(({ state }) => state)).toEqual([
      'requested',
      'expired',
    ])
  })

  test('a provider that is down is told later; nothing waits for it (CUS-3)', async () => {
    const buyer = await subscribed(world, 'patient')
    const { data: transfer } = await world.operator.requestOwnerTransfer({
      params: { customerId: buyer.customerId },
      body: { to: bob },
    })
    await world.control('POST', '/sandbox/faults', { kind: 'api', action: 'outage', path: '/v1/customers/*' })
    await (await person('bob', 'patient')).confirmOwnerTransfer({
      params: { transferId: transfer.id },
      body: { token: await tokenOf(transfer.id) },
    })
    expect(await ownersOf(buyer.customerId)).toEqual(['bob'])
    const waiting = () =>
      query(world.app.deps.db, sql`select tenant_id from contact_updates where tenant_id = 'patient'`)
    expect(await waiting()).toHaveLength(1)
    await world.control('DELETE', '/sandbox/faults')
    await eventually(
      async () => {
        await tellContact(world.app.deps)
        return waiting()
      },
      (left) => left.length === 0,
    )
    expect(await stripeOf(world).customers.retrieve(buyer.providerCustomerId)).toMatchObject({ email: bob.email })
  })
})

describe('who owns', () => {
  test('several may, each may leave, and the last cannot (CUS-3)', async () => {
    const { params, tenantId, customerId } = await company('shared')
    const owner = await person('ana', tenantId)
    const { data: transfer } = await owner.requestOwnerTransfer({ params, body: { to: bob, stays: true } })
    await (await person('bob', tenantId)).confirmOwnerTransfer({
      params: { transferId: transfer.id },
      body: { token: await tokenOf(transfer.id) },
    })
    expect(await ownersOf(customerId)).toEqual(['ana', 'bob'])
    expect((await world.operator.getCustomer({ params })).data.email).toBe('billing@shared.example')
    // Nobody sends the other away, or gives away what is the other's.
    const leave = (who: Client, personId: string) => code(who.removeOwner({ params: { customerId, personId } }))
    expect(await leave(owner, 'bob')).toBe('not_billing_owner')
    expect(await code(owner.requestOwnerTransfer({ params, body: { to: bob, fromPersonId: 'bob' } }))).toBe(
      'not_billing_owner',
    )
    // What Ana has begun to hand over ends when she leaves.
    const { data: begun } = await owner.requestOwnerTransfer({
      params,
      body: { to: { email: 'eve@host.example', name: 'Eve' } },
    })
    expect(await leave(owner, 'ana')).toBe('done')
    expect((await world.operator.listOwnerTransfers({ params })).data.find(({ id }) => id === begun.id)?.state).toBe(
      'canceled',
    )
    expect(await leave(await person('bob', tenantId), 'bob')).toBe('last_owner')
    expect(await leave(world.operator, 'bob')).toBe('last_owner')
    expect(await leave(world.operator, 'nobody')).toBe('not_found')
    expect(await ownersOf(customerId)).toEqual(['bob'])
    expect((await auditOf(world, tenantId)).filter((action) => action === 'owner.leave')).toHaveLength(1)
  })

  test('of two who leave at the same moment one stays (CUS-3)', async () => {
    const { params, tenantId, customerId } = await company('both-leave')
    const { data: transfer } = await (await person('ana', tenantId)).requestOwnerTransfer({
      params,
      body: { to: bob, stays: true },
    })
    await (await person('bob', tenantId)).confirmOwnerTransfer({
      params: { transferId: transfer.id },
      body: { token: await tokenOf(transfer.id) },
    })
    const left = await Promise.all(
      ['ana', 'bob'].map(async (personId) =>
        code((await person(personId, tenantId)).removeOwner({ params: { customerId, personId } })),
      ),
    )
    expect(left.sort()).toEqual(['done', 'last_owner'])
    expect(await ownersOf(customerId)).toHaveLength(1)
  })

  test('the role decides what may be done, being an owner who is asked: a person with the role alone hands nothing over (CUS-3, SEC-1)', async () => {
    const { params, tenantId } = await company('strict')
    expect(await code((await person('eve', tenantId)).requestOwnerTransfer({ params, body: { to: bob } }))).toBe(
      'not_billing_owner',
    )
    for (const role of ['admin', 'billing', 'member', 'viewer'] as const)
      expect(
        await code((await person('ana', tenantId, role)).requestOwnerTransfer({ params, body: { to: bob } })),
        role,
      ).toBe('forbidden')
    expect(await code((await person('ana', 'stranger')).listOwners({ params }))).toBe('not_found')
  })

  test('a customer that was made without an owner gets the first one by the same letter (CUS-3)', async () => {
    const { params, tenantId, customerId } = await company('ownerless', null)
    expect(await ownersOf(customerId)).toEqual([])
    const { data: transfer } = await (await person('bob', tenantId)).requestOwnerTransfer({ params, body: { to: bob } })
    expect(transfer.fromPersonId).toBeNull()
    await (await person('bob', tenantId)).confirmOwnerTransfer({
      params: { transferId: transfer.id },
      body: { token: await tokenOf(transfer.id) },
    })
    expect(await ownersOf(customerId)).toEqual(['bob'])
    expect((await world.operator.getCustomer({ params })).data.email).toBe(bob.email)
  })
})
