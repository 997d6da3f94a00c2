import { fail } from '../../core/errors.ts'
import { reservationView, reserveUsage } from '../../flows/reserve-usage.ts'
import { commitReservation, findMade, releaseReservation } from '../../flows/settle-reservation.ts'
import { findCustomer } from '../../modules/customers/index.ts'
import { listReservations } from '../../modules/usage/index.ts'
import type { Handlers } from '../handler.ts'
import { behind, placeInTime } from '../time-cursor.ts'

export const reservationHandlers: Handlers<
  'createReservation' | 'listReservations' | 'getReservation' | 'commitReservation' | 'releaseReservation'
> = {
  createReservation: ({ deps, tenantId, body, idempotencyKey, requestId }) =>
    reserveUsage(deps, tenantId, body, idempotencyKey, requestId),

  listReservations: async ({ deps, tenantId, query }) => {
    if (!(await findCustomer(deps.db, tenantId))) throw fail('not_found')
    const limit = query.limit ?? 50
    const rows = await listReservations(deps.db, tenantId, query.state ?? null, placeInTime(query.cursor), limit)
    return {
      data: rows.flatMap((row) => reservationView(row) ?? []),
      cursor: behind(rows, limit, (row) => ({ at: row.reservedAt.toString(), id: row.reservationId })),
    }
  },

  getReservation: async ({ deps, params, own }) => {
    const reservation = await findMade(deps, params.reservationId)
    await own(reservation.tenantId)
    return reservationView(reservation)!
  },

  commitReservation: async ({ deps, params, body, own, requestId }) => {
    const reservation = await findMade(deps, params.reservationId)
    await own(reservation.tenantId)
    return commitReservation(deps, reservation, body.quantities, requestId)
  },

  releaseReservation: async ({ deps, params, own }) => {
    const reservation = await findMade(deps, params.reservationId)
    await own(reservation.tenantId)
    return releaseReservation(deps, reservation)
  },
}
