import { expect, test } from 'vitest'
import { createSeal } from './seal.ts'

const at = Temporal.Instant.from('2026-01-01T00:00:00Z')
const later = at.add({ minutes: 15 })
const old = 'an old secret of thirty-two letters'
const fresh = 'a new secret of thirty-two letters!'

test('what was sealed opens until its end, and not at it', async () => {
  const seal = createSeal([fresh])
  const sealed = await seal.close('change-preview', { amount: 4_187 }, later)
  expect(await seal.open('change-preview', sealed, later.subtract({ seconds: 1 }))).toEqual({ amount: 4_187 })
  expect(await seal.open('change-preview', sealed, later)).toBeNull()
})

test('an exchanged secret still opens what it closed; a secret that was taken away does not', async () => {
  const sealed = await createSeal([old]).close('export-link', { exportId: 'export_1' }, later)
  expect(await createSeal([fresh, old]).open('export-link', sealed, at)).toEqual({ exportId: 'export_1' })
  expect(await createSeal([fresh]).open('export-link', sealed, at)).toBeNull()
})

test('a text for one purpose does not serve another', async () => {
  const seal = createSeal([fresh])
  expect(await seal.open('owner-transfer', await seal.close('export-link', {}, later), at)).toBeNull()
})

test('no letter of it can be changed', async () => {
  const seal = createSeal([fresh])
  const sealed = await seal.close('change-preview', { amount: 4_187 }, later)
  for (let place = 0; place < sealed.length - 1; place++) {
    const other = sealed[place] === 'A' ? 'B' : 'A'
    expect(await seal.open('change-preview', sealed.slice(0, place) + other + sealed.slice(place + 1), at)).toBeNull()
  }
  expect(await seal.open('change-preview', '', at)).toBeNull()
})
