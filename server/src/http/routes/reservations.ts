import { reservationView, reserveUsage } from '../../flows/reserve-usage.ts'
import { commitReservation, findMade, releaseReservation } from '../../flows/settle-reservation.ts'
import type { Handlers } from '../handler.ts'

export const reservationHandlers: Handlers<
  'createReservation' | 'getReservation' | 'commitReservation' | 'releaseReservation'
> = {
  createReservation: ({ deps, tenantId, body, idempotencyKey, requestId }) =>
    reserveUsage(deps, tenantId, body, idempotencyKey, requestId),

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
