import type { BillingStatus, CommandPreview, PlanOffer } from '@turnpike/contract'
import { useState } from 'react'
import { useApi } from '../api/api.ts'
import { describeProblem } from '../api/problem.ts'
import { useMay } from '../api/session.tsx'
import { useView } from '../search.ts'
import { Banner } from '../ui/Banner.tsx'
import { TextLink } from '../ui/Links.tsx'
import { Page } from '../ui/Page.tsx'
import { Empty, Loading, ProblemNote, StateBlock } from '../ui/StateBlock.tsx'
import { CommandOutcome } from './CommandOutcome.tsx'
import { CommandProblem } from './CommandProblem.tsx'
import { ConfirmBar, isConfirmable } from './ConfirmBar.tsx'
import { NotAllowed } from './NotAllowed.tsx'
import { PreviewDetails } from './PreviewDetails.tsx'
import styles from './Review.module.css'
import { SelectionCard } from './SelectionCard.tsx'
import { type Selection, selectionOf, wishOf } from './selection.ts'
import { useHostedPage } from './useHostedPage.ts'
import { useApply, usePreview } from './useSubscriptionCommand.ts'
import { useTenant } from './useTenant.ts'

/** Choosing terms and seeing exactly what they bring before anything happens: plan, interval, seats, add-ons (SUB-4, UI-1). */
export function ChangePage() {
  const tenant = useTenant()
  const may = useMay('billing:subscriptions:write')
  const [view] = useView()
  const status = useApi('getStatus', { query: tenant })
  const offers = useApi('listPlans', { query: tenant })
  const [first, second] = [status, offers]
  const [done, setDone] = useState<{ wish: NonNullable<ReturnType<typeof wishOf>>; result: Result }>()
  if (done) return <CommandOutcome key="done" wish={done.wish} result={done.result} />
  return (
    <Page
      title="Change your plan"
      documentTitle="Change · Billing"
      lead="Nothing happens before you confirm. Amounts are computed by the payment provider for this moment."
      wide
    >
      {may ? (
        <StateBlock what="your plan" reading={first} lines={10}>
          {({ data: current }) => (
            <StateBlock what="plans" reading={second} lines={10}>
              {({ data }) => (
                <Change
                  status={current}
                  offers={data}
                  selection={selectionOf(view, data, current.subscription)}
                  onDone={(wish, result) => setDone({ wish, result })}
                />
              )}
            </StateBlock>
          )}
        </StateBlock>
      ) : (
        <NotAllowed />
      )}
    </Page>
  )
}

type Result = Parameters<typeof CommandOutcome>[0]['result']
type Props = {
  status: BillingStatus
  offers: PlanOffer[]
  selection: Selection
  onDone: (wish: NonNullable<ReturnType<typeof wishOf>>, result: Result) => void
}

function Change({ status, offers, selection, onDone }: Props) {
  const tenant = useTenant()
  const hosted = useHostedPage()
  const held = status.subscription
  const id = held?.id ?? null
  const wish = wishOf(selection, held)
  const preview = usePreview(id, wish)
  const apply = useApply(id, wish)
  const [was, setWas] = useState<CommandPreview>()
  const shown = preview.data
  const again = () => {
    apply.reset()
    void preview.refetch()
  }

  if (!selection.offer || !wish)
    return (
      <Empty
        title="This plan is not on offer"
        action={
          <TextLink to="/billing/plans" search={tenant}>
            Compare plans
          </TextLink>
        }
      >
        Choose one of the plans that are.
      </Empty>
    )

  const confirm = (confirmed: CommandPreview) => {
    setWas(undefined)
    apply.mutate(confirmed, {
      onSuccess: (result) => onDone(wish, result),
      onError: (error) => {
        if (describeProblem(error).code !== 'preview_stale') return
        setWas(confirmed)
        void preview.refetch()
      },
    })
  }
  const { offer, price, seats } = selection
  const checkout =
    held || !price
      ? undefined
      : () =>
          hosted.openCheckout('checkout', {
            plan: offer.plan,
            price: price.price,
            currency: price.amount.currency,
            ...(seats !== undefined && offer.seats ? { seats } : {}),
            ...(selection.addOns ? { addOns: selection.addOns } : {}),
          })
  const error = apply.error ?? preview.error
  return (
    <div className={styles.layout}>
      <SelectionCard
        offers={offers}
        held={held}
        selection={selection}
        after={shown?.after ?? null}
        busy={apply.isPending}
      />
      <div
        className={styles.review}
        data-waiting={preview.isPlaceholderData || undefined}
        aria-busy={preview.isFetching}
      >
        {error ? (
          <CommandProblem
            error={error}
            hosted={hosted}
            onAgain={() =>
              apply.error && describeProblem(apply.error).retry === 'later' && shown ? confirm(shown) : again()
            }
            busy={apply.isPending || preview.isFetching}
            onCheckout={checkout}
            stale={was ? { was, is: preview.isFetching ? undefined : shown } : undefined}
          />
        ) : null}
        {hosted.error ? <ProblemNote problem={describeProblem(hosted.error)} /> : null}
        {shown ? (
          <>
            {isConfirmable(apply.error) ? (
              <ConfirmBar
                preview={shown}
                busy={apply.isPending}
                waiting={preview.isFetching}
                onConfirm={() => confirm(shown)}
                onLookAgain={again}
                back={{ to: '/billing/plans', label: 'Compare plans' }}
              />
            ) : null}
            <PreviewDetails preview={shown} />
          </>
        ) : preview.isPending ? (
          <>
            <Banner tone="neutral">Asking the payment provider for the exact amounts.</Banner>
            <Loading what="the exact amounts" lines={10} />
          </>
        ) : null}
      </div>
    </div>
  )
}
