import { Type } from 'typebox'
import { type RouteDefinition, route } from '../route.ts'
import {
  Reservation,
  ReservationAnswer,
  ReservationCommit,
  ReservationCreate,
  ReservationParams,
  ReservationQuery,
} from '../schemas/reservation.ts'

/** Room that is held for work under way. */
export const reservationsRoutes = {
  createReservation: route({
    method: 'POST',
    path: '/entitlements/reservations',
    summary: 'Hold room for work that is about to begin: all features or none',
    description:
      'What is reserved counts against the limit until it is committed, released or has expired. A no is an answer with `allowed: false`.',
    tag: 'Entitlements',
    permission: 'billing:entitlements:consume',
    tenancy: 'tenant',
    body: ReservationCreate,
    response: ReservationAnswer,
    problems: ['feature_unknown', 'quantity_invalid', 'idempotency_key_reused'],
  }),

  listReservations: route({
    method: 'GET',
    path: '/entitlements/reservations',
    summary: 'Reservations of a customer, newest first',
    description: 'What was refused is no reservation: it is among the decisions.',
    tag: 'Entitlements',
    permission: 'billing:entitlements:check',
    tenancy: 'tenant',
    kind: 'list',
    query: ReservationQuery,
    response: Type.Array(Reservation),
  }),

  getReservation: route({
    method: 'GET',
    path: '/entitlements/reservations/{reservationId}',
    summary: 'One reservation',
    tag: 'Entitlements',
    permission: 'billing:entitlements:check',
    tenancy: 'object',
    params: ReservationParams,
    response: Reservation,
  }),

  commitReservation: route({
    method: 'POST',
    path: '/entitlements/reservations/{reservationId}/commit',
    summary: 'Count what was used of a reservation, and let go of the rest',
    description:
      'Work that is done is counted, also when the reservation has expired meanwhile, in the window in which it was reserved. A repeat with the same quantities gets the same answer.',
    tag: 'Entitlements',
    permission: 'billing:entitlements:consume',
    tenancy: 'object',
    params: ReservationParams,
    body: ReservationCommit,
    response: Reservation,
    problems: ['quantity_invalid', 'meter_unknown', 'reservation_settled', 'idempotency_key_reused'],
  }),

  releaseReservation: route({
    method: 'POST',
    path: '/entitlements/reservations/{reservationId}/release',
    summary: 'Let go of a reservation: nothing was used',
    tag: 'Entitlements',
    permission: 'billing:entitlements:consume',
    tenancy: 'object',
    params: ReservationParams,
    response: Reservation,
    problems: ['reservation_settled'],
  }),
} as const satisfies Record<string, RouteDefinition>
