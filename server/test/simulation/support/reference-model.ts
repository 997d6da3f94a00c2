import { type Happening, type History, type Plan, type Price, roundDays } from './history.ts'

// What must come of a history, whatever order its news took. Written from the promises, without any of the service's code.

type Status =
  | 'incomplete'
  | 'incomplete_expired'
  | 'trialing'
  | 'active'
  | 'past_due'
  | 'unpaid'
  | 'paused'
  | 'canceled'
type Agreement = {
  status: Status
  plan: Plan
  price: Price
  seats: number
  anchor: Temporal.ZonedDateTime
  period: [Temporal.ZonedDateTime, Temporal.ZonedDateTime]
  ending: boolean
  endedAt: Temporal.ZonedDateTime | null
  /** Since when money is owed for a period that has begun. */
  owesSince: Temporal.ZonedDateTime | null
  paidInvoices: number
}
type Life = { agreements: Agreement[]; cardWorks: boolean }

/** The final state of a customer in words that can be compared with what is stored. */
export type FinalState = {
  agreements: {
    status: Status
    plan: string
    price: string
    seats: number
    period: string
    endsAt: string | null
    endedAt: string | null
  }[]
  accessLevel: string
  plan: string
  projects: number
  callLimit: number
  /** How often each thing that can only happen once per object was announced. */
  announced: { created: number; ended: number; paid: number }
}

export const finalStateOf = (history: History, start: Temporal.Instant): FinalState => {
  const begin = start.toZonedDateTimeISO('UTC')
  const life: Life = { agreements: [], cardWorks: true }
  let now = begin
  history.rounds.forEach(({ happenings }, round) => {
    now = begin.add({ hours: 24 * roundDays[round]! })
    for (const agreement of life.agreements) letTimePass(agreement, life, now)
    for (const happening of happenings) happen(life, happening, now)
  })
  return describe(life, now)
}

const isOver = ({ status }: Agreement) => status === 'canceled' || status === 'incomplete_expired'
const isRunning = ({ status }: Agreement) => ['trialing', 'active', 'past_due', 'unpaid'].includes(status)
const isBefore = (a: Temporal.ZonedDateTime, b: Temporal.ZonedDateTime) => Temporal.ZonedDateTime.compare(a, b) < 0

const happen = (life: Life, happening: Happening, now: Temporal.ZonedDateTime): void => {
  const newest = life.agreements.at(-1)
  if (happening.kind === 'start') {
    if (newest && !isOver(newest)) return
    life.agreements.push(begun(happening, now))
    return
  }
  if (happening.kind === 'card') {
    life.cardWorks = happening.works
    return
  }
  if (!newest || isOver(newest)) return
  const { status } = newest
  switch (happening.kind) {
    case 'change':
      if (status === 'trialing' || status === 'active') changeTo(newest, happening)
      return
    case 'ask_seats':
      if (mayGrow(newest, life) && newest.plan !== 'starter') {
        newest.seats += happening.more
        if (status === 'active') newest.paidInvoices++
      }
      return
    case 'ask_scale':
      if (mayGrow(newest, life) && newest.plan !== 'scale') {
        Object.assign(newest, { plan: 'scale', seats: Math.max(10, newest.seats) })
        if (status === 'active') newest.paidInvoices++
      }
      return
    case 'pay':
      if (status === 'incomplete') begins(newest)
      else if (newest.owesSince) {
        newest.paidInvoices++
        newest.owesSince = null
        if (status === 'past_due' || status === 'unpaid') newest.status = 'active'
      }
      return
    case 'give_up':
      if (status === 'past_due') newest.status = 'unpaid'
      return
    case 'cancel_at_end':
    case 'ask_cancel':
      if (isRunning(newest)) newest.ending = true
      return
    case 'keep':
    case 'ask_keep':
      newest.ending = false
      return
    case 'cancel_now':
      end(newest, now)
      return
    case 'pause':
      if (status === 'active') newest.status = 'paused'
      return
    case 'resume':
      if (status !== 'paused') return
      newest.status = 'active'
      // Time that went by in the pause is skipped: the running month begins, and is paid.
      if (!isBefore(now, newest.period[1])) {
        while (!isBefore(now, newest.period[1])) newest.period = nextPeriod(newest)
        newest.paidInvoices++
      }
  }
}

/** More is had at once when it can be paid for, and in a trial for nothing. */
const mayGrow = ({ status, ending }: Agreement, life: Life): boolean =>
  !ending && (status === 'trialing' || (status === 'active' && life.cardWorks))

const begun = (start: Happening & { kind: 'start' }, now: Temporal.ZonedDateTime): Agreement => {
  const anchor = start.how === 'trial' ? now.add({ hours: 24 * 14 }) : now
  const { plan, price, seats } = start
  const agreement: Agreement = {
    ...{ status: 'incomplete', plan, price, seats, anchor, period: [now, anchor] },
    ...{ ending: false, endedAt: null, owesSince: null, paidInvoices: 0 },
  }
  if (start.how === 'trial') agreement.status = 'trialing'
  else agreement.period = nextPeriod(agreement)
  if (start.how === 'paid') begins(agreement)
  return agreement
}

const begins = (agreement: Agreement): void => {
  agreement.status = 'active'
  agreement.paidInvoices++
}

const changeTo = (agreement: Agreement, { plan, price, seats }: { plan: Plan; price: Price; seats: number }): void => {
  const longer = agreement.price === 'monthly' && price === 'yearly'
  const shorter = agreement.price === 'yearly' && price === 'monthly'
  Object.assign(agreement, { plan, price, seats })
  // A trial keeps its end. All of this happens in the first month of a period, so a shorter one begins where it began.
  if (agreement.status === 'active' && (longer || shorter)) {
    const [start] = agreement.period
    agreement.period = [start, nextPeriod({ ...agreement, period: [start, start] })[1]]
  }
}

const end = (agreement: Agreement, at: Temporal.ZonedDateTime): void => {
  agreement.status = 'canceled'
  agreement.endedAt = at
}

const letTimePass = (agreement: Agreement, life: Life, now: Temporal.ZonedDateTime): void => {
  if (isOver(agreement)) return
  const expiry = agreement.period[0].add({ hours: 23 })
  if (agreement.status === 'incomplete' && !isBefore(now, expiry)) {
    agreement.status = 'incomplete_expired'
    agreement.endedAt = expiry
  }
  if (agreement.status === 'paused' && agreement.ending && !isBefore(now, agreement.period[1]))
    end(agreement, agreement.period[1])
  while (isRunning(agreement) && !isBefore(now, agreement.period[1])) {
    const boundary = agreement.period[1]
    if (agreement.ending) {
      end(agreement, boundary)
      return
    }
    const wasPaid = life.cardWorks && agreement.status !== 'unpaid'
    if (agreement.status === 'trialing') agreement.status = 'active'
    agreement.period = nextPeriod(agreement)
    if (wasPaid) {
      agreement.paidInvoices++
      agreement.status = 'active'
      agreement.owesSince = null
    } else {
      agreement.owesSince ??= boundary
      if (agreement.status === 'active') agreement.status = 'past_due'
    }
  }
}

/** Months are counted from the anchor, so that a 31st comes back after a short month. */
const nextPeriod = ({ anchor, period: [, start], price }: Agreement): Agreement['period'] => {
  const monthsSince = (start.year - anchor.year) * 12 + start.month - anchor.month
  return [start, anchor.add({ months: monthsSince + (price === 'yearly' ? 12 : 1) })]
}

const grants: Record<Plan | 'free', { projects: number; calls: number }> = {
  free: { projects: 2, calls: 1_000 },
  starter: { projects: 5, calls: 5_000 },
  pro: { projects: 20, calls: 20_000 },
  scale: { projects: 200, calls: 2_000_000 },
}

/** What a status allows, and what a debt takes away of it as days go by. */
const accessOf = ({ status, owesSince }: Agreement, now: Temporal.ZonedDateTime): string => {
  if (status === 'paused') return 'read_only'
  if (status === 'incomplete') return 'none'
  if (status !== 'past_due' && status !== 'unpaid') return 'full'
  const days = owesSince!.until(now).total('hours') / 24
  if (days >= 14) return 'read_only'
  return status === 'unpaid' || days >= 7 ? 'restricted' : 'grace'
}

const describe = ({ agreements }: Life, now: Temporal.ZonedDateTime): FinalState => {
  const live = agreements.findLast((agreement) => !isOver(agreement))
  const accessLevel = live ? accessOf(live, now) : 'full'
  const granting = live && (accessLevel === 'full' || accessLevel === 'grace') ? live.plan : 'free'
  const text = (time: Temporal.ZonedDateTime) => time.toInstant().toString()
  return {
    agreements: agreements.map(({ status, plan, price, seats, period, ending, endedAt }) => ({
      ...{ status, plan, price, seats },
      period: `${text(period[0])} ${text(period[1])}`,
      endsAt: ending && endedAt === null ? text(period[1]) : null,
      endedAt: endedAt && text(endedAt),
    })),
    accessLevel,
    plan: live?.plan ?? 'free',
    projects: grants[granting].projects,
    callLimit: grants[granting].calls,
    announced: {
      created: agreements.length,
      ended: agreements.filter(isOver).length,
      paid: agreements.reduce((sum, { paidInvoices }) => sum + paidInvoices, 0),
    },
  }
}
