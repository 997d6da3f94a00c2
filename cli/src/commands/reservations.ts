import type { Reservation } from '@turnpike/contract'
import { reservationStates } from '@turnpike/contract'
import { type Command, Option } from 'commander'
import { facts, table } from '../print.ts'
import type { Session } from '../session.ts'

export const addReservationCommands = (program: Command, session: Session): void => {
  const reservations = program.command('reservations').description('Room that is held for work under way')

  reservations
    .command('list <tenant>')
    .description('Reservations of a customer, newest first')
    .addOption(new Option('--state <state>').choices([...reservationStates]))
    .option('--limit <n>', 'how many', (text) => Number(text), 50)
    .action(async (tenantId: string, { state, limit }: { state?: Reservation['state']; limit: number }) => {
      const { data } = await session.client().listReservations({
        query: { tenantId, limit, ...(state ? { state } : {}) },
      })
      session.show(
        data,
        table(
          ['reservation', 'state', 'features', 'reserved', 'until', 'settled'],
          data.map((each) => [
            each.id,
            each.state,
            featuresText(each),
            each.reservedAt,
            each.expiresAt,
            each.settledAt,
          ]),
          'Nothing was reserved.',
        ),
      )
    })

  reservations
    .command('release <reservation>')
    .description('Let go of what is held: nothing of it was used')
    .action(async (reservationId: string) => {
      const { data } = await session.client().releaseReservation({ params: { reservationId } })
      session.show(
        data,
        facts([
          ['reservation', data.id],
          ['tenant', data.tenantId],
          ['state', data.state],
          ['features', featuresText(data)],
          ['settled', data.settledAt],
        ]),
      )
    })
}

const featuresText = ({ features }: Reservation): string =>
  features
    .map(
      ({ feature, quantity, committed }) =>
        `${feature} ${committed === null ? quantity : `${committed} of ${quantity}`}`,
    )
    .join(', ')
