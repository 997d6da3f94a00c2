import { chanceOf } from './webhook-sender.ts'

/** What can happen to a customer. What makes no sense when its time comes (a pause of nothing) does not happen. */
export type Happening =
  | { kind: 'start'; how: 'paid' | 'trial' | 'unpaid'; plan: Plan; price: Price; seats: number }
  | { kind: 'change'; plan: Plan; price: Price; seats: number }
  | { kind: 'card'; works: boolean }
  | { kind: 'pay' | 'give_up' | 'cancel_at_end' | 'keep' | 'cancel_now' | 'pause' | 'resume' }
  /** Asked of our API; the others happen at the provider. */
  | { kind: 'ask_seats'; more: number }
  | { kind: 'ask_scale' | 'ask_cancel' | 'ask_keep' }

export type Plan = 'starter' | 'pro' | 'scale'
export type Price = 'monthly' | 'yearly'
/** How webhooks of a round arrive: at once, rounds later, or those about subscriptions never. Always mixed, some twice. */
type News = 'told' | 'late' | 'lost'
type Round = { happenings: Happening[]; news: News }
/** `slowLook`: a look at the last day begins before its happenings and is answered after them. */
export type History = { seed: number; rounds: Round[]; slowLook: boolean }

/** When the rounds are, counted from the first: trials and months end between them. */
export const roundDays = [0, 3, 15, 32, 36] as const

/** A short history for a seed: always the same one for the same seed. */
export const historyOf = (seed: number): History => {
  const chance = chanceOf(seed * 7_919 + 13)
  const one = <T>(...items: T[]): T => items[chance.whole(items.length)]!
  const terms = () => {
    const plan = one<Plan>('starter', 'pro', 'pro', 'scale')
    const price: Price = plan === 'starter' ? 'monthly' : one('monthly', 'monthly', 'monthly', 'yearly')
    const included = { starter: 0, pro: 3, scale: 10 }[plan]
    return { plan, price, seats: included === 0 ? 0 : included + chance.whole(3) }
  }
  const start = (): Happening => ({ kind: 'start', how: one('paid', 'paid', 'paid', 'trial', 'unpaid'), ...terms() })
  const anything = (): Happening => {
    const kind = one(
      'change',
      'change',
      'card',
      'pay',
      'give_up',
      'cancel_at_end',
      'keep',
      'cancel_now',
      'pause',
      'resume',
      'start',
      'ask',
    )
    if (kind === 'change') return { kind, ...terms() }
    if (kind === 'card') return { kind, works: chance.next() < 0.3 }
    if (kind === 'start') return start()
    if (kind !== 'ask') return { kind } as Happening
    const asked = one('ask_seats', 'ask_scale', 'ask_cancel', 'ask_keep')
    return asked === 'ask_seats' ? { kind: asked, more: 1 + chance.whole(3) } : ({ kind: asked } as Happening)
  }
  const begins = chance.next() < 0.7 ? 0 : 1
  const lost = chance.next() < 0.25 ? chance.whole(roundDays.length) : -1
  const rounds = roundDays.map((_, round): Round => {
    const happenings = round === begins ? [start()] : []
    if (round >= begins && chance.next() < 0.4) happenings.push(anything())
    return { happenings, news: round === lost ? 'lost' : one('told', 'told', 'told', 'late') }
  })
  const slowLook = chance.next() < 0.01
  if (slowLook) rounds.at(-1)!.happenings = [one<Happening>({ kind: 'cancel_now' }, { kind: 'change', ...terms() })]
  return { seed, rounds, slowLook }
}

/** A history in a few lines, for whoever has to find out what went wrong. */
export const historyText = ({ seed, rounds, slowLook }: History): string =>
  [
    `SEED=${seed}${slowLook ? ' with a slow look' : ''}`,
    ...rounds.map(
      ({ happenings, news }, round) =>
        `  day ${String(roundDays[round]).padStart(2)} (${news}): ${happenings.map(happeningText).join('; ') || '-'}`,
    ),
  ].join('\n')

const happeningText = ({ kind, ...more }: Happening): string => [kind, ...Object.values(more).map(String)].join(' ')
