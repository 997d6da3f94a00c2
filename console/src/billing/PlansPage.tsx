import { SegmentedControl, TextInput } from '@mantine/core'
import type { BillingStatus, PlanOffer } from '@turnpike/contract'
import { useState } from 'react'
import { useApi } from '../api/api.ts'
import { useMay } from '../api/session.tsx'
import { intervalName } from '../format/interval.ts'
import { intervalsOf, savingPercent } from '../format/relations.ts'
import { useView } from '../search.ts'
import { Page } from '../ui/Page.tsx'
import { Empty, StateBlock } from '../ui/StateBlock.tsx'
import { CheckoutProblem } from './CheckoutProblem.tsx'
import { PlanCards } from './PlanCards.tsx'
import styles from './PlansPage.module.css'
import { PlanTable } from './PlanTable.tsx'
import { useHostedPage } from './useHostedPage.ts'
import { useTenant } from './useTenant.ts'

/** Every plan on offer, how it stands to the one held, and the way to it (UI-1). */
export function PlansPage() {
  const tenant = useTenant()
  const offers = useApi('listPlans', { query: tenant })
  const status = useApi('getStatus', { query: tenant })
  return (
    <Page title="Plans" lead="You see the exact amount and confirm it before anything is charged." wide>
      <StateBlock
        what="plans"
        reading={offers}
        lines={12}
        empty={({ data }) =>
          data.length === 0 ? <Empty title="No plans are on offer">The catalog has no active plan yet.</Empty> : null
        }
      >
        {({ data }) => <Plans offers={data} status={status.data?.data} />}
      </StateBlock>
    </Page>
  )
}

export type Choice = { offer: PlanOffer; price: PlanOffer['prices'][number] | undefined }

function Plans({ offers, status }: { offers: PlanOffer[]; status: BillingStatus | undefined }) {
  const [view, setView] = useView()
  const mayChoose = useMay('billing:session:create')
  const hosted = useHostedPage()
  const [chosen, setChosen] = useState<Choice>()
  const intervals = intervalsOf(offers)
  const interval = intervals.find((each) => each === (view.interval ?? status?.interval)) ?? intervals[0] ?? 'month'
  const sorted = offers.toSorted((a, b) => a.rank - b.rank)
  const takesSeats = sorted.some((offer) => offer.seats !== null && offer.seats.max !== offer.seats.included)
  const seats = view.seats && /^[1-9]\d{0,4}$/.test(view.seats) ? Number(view.seats) : undefined

  const choose = (choice: Choice, replaceOpen?: boolean) => {
    if (!choice.price) return
    setChosen(choice)
    hosted.openCheckout(choice.offer.plan, {
      plan: choice.offer.plan,
      price: choice.price.price,
      currency: choice.price.amount.currency,
      ...(seats !== undefined && choice.offer.seats ? { seats } : {}),
      ...(replaceOpen ? { replaceOpen } : {}),
    })
  }

  return (
    <>
      <div className={styles.controls}>
        {intervals.length > 1 ? (
          <SegmentedControl
            aria-label="Billing interval"
            value={interval}
            onChange={(value) => setView({ interval: value }, { replace: true })}
            data={intervals.map((each) => ({ value: each, label: <IntervalLabel interval={each} offers={offers} /> }))}
          />
        ) : null}
        {takesSeats && mayChoose ? (
          <TextInput
            label="Seats"
            inputMode="numeric"
            className={styles.seats}
            placeholder={status?.seats ? String(status.seats.held) : 'as included'}
            value={view.seats ?? ''}
            onChange={(event) => setView({ seats: event.currentTarget.value.replace(/\D/g, '') }, { replace: true })}
          />
        ) : null}
      </div>
      {hosted.error && chosen ? (
        <CheckoutProblem
          error={hosted.error}
          choice={chosen}
          status={status}
          busy={hosted.opening !== null}
          onReplace={() => choose(chosen, true)}
          onPortal={() => hosted.openPortal(chosen.offer.plan)}
          onDismiss={hosted.clear}
        />
      ) : null}
      <PlanCards
        offers={sorted}
        interval={interval}
        status={status}
        mayChoose={mayChoose}
        opening={hosted.opening}
        highlighted={view.plan}
        seats={seats}
        hosted={status?.subscription == null && status?.retention == null}
        onChoose={choose}
      />
      {mayChoose ? null : (
        <p className="dim">Only the billing owner, an administrator or a billing contact can change the plan.</p>
      )}
      <PlanTable offers={sorted} />
    </>
  )
}

function IntervalLabel({ interval, offers }: { interval: string; offers: PlanOffer[] }) {
  const savings = offers.flatMap(({ prices }) =>
    prices.filter((price) => price.interval === interval).map((price) => savingPercent(prices, price) ?? 0),
  )
  const most = Math.max(0, ...savings)
  const same = savings.every((saving) => saving === most)
  return (
    <>
      {intervalName(interval)}
      {most > 0 ? <span className={styles.saving}>{same ? `save ${most}%` : `save up to ${most}%`}</span> : null}
    </>
  )
}
