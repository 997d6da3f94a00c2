import { SegmentedControl, TextInput } from '@mantine/core'
import { useParams } from '@tanstack/react-router'
import type { BillingStatus, CommandPreview } from '@turnpike/contract'
import { useState } from 'react'
import { useApi } from '../api/api.ts'
import { describeProblem } from '../api/problem.ts'
import { useMay } from '../api/session.tsx'
import { useView } from '../search.ts'
import { Card } from '../ui/Card.tsx'
import { ButtonLink } from '../ui/Links.tsx'
import { Page } from '../ui/Page.tsx'
import { Empty, Loading, ProblemNote, StateBlock } from '../ui/StateBlock.tsx'
import { CommandOutcome } from './CommandOutcome.tsx'
import { CommandProblem } from './CommandProblem.tsx'
import { ConfirmBar, isConfirmable } from './ConfirmBar.tsx'
import { NotAllowed } from './NotAllowed.tsx'
import { PreviewDetails } from './PreviewDetails.tsx'
import styles from './Review.module.css'
import { useHostedPage } from './useHostedPage.ts'
import { useApply, usePreview, type Wish } from './useSubscriptionCommand.ts'
import { useTenant } from './useTenant.ts'

type Held = NonNullable<BillingStatus['subscription']>
type Action = Exclude<Wish['action'], 'create' | 'change'>

/** The last part of the address says what is to happen. */
const pages: Record<string, { action: Action; title: (plan: string) => string; lead: string; danger?: boolean }> = {
  cancel: {
    action: 'cancel',
    title: (plan) => `Cancel ${plan}`,
    lead: 'See until when it works, what ends with it, and what becomes of your data. Nothing happens before you confirm.',
    danger: true,
  },
  keep: {
    action: 'undo_cancel',
    title: (plan) => `Keep ${plan}`,
    lead: 'Takes the cancellation back, as if it had never been asked for.',
  },
  pause: {
    action: 'pause',
    title: (plan) => `Pause ${plan}`,
    lead: 'Nothing is charged while it is paused. Your data stays; what you may do meanwhile stands below.',
  },
  resume: {
    action: 'resume',
    title: (plan) => `Resume ${plan}`,
    lead: 'Ends the pause. What is charged then stands below.',
  },
  'undo-change': {
    action: 'undo_change',
    title: () => 'Take the change back',
    lead: 'Your plan stays as it is today.',
  },
  'end-trial': {
    action: 'end_trial',
    title: (plan) => `End the trial of ${plan}`,
    lead: 'The plan begins at once, and so does its first paid period.',
  },
}

/** One thing that happens to a subscription: what it means, then one button (SUB-3, UI-1). */
export function CommandPage() {
  const tenant = useTenant()
  const { command } = useParams({ strict: false }) as { command?: string }
  const status = useApi('getStatus', { query: tenant })
  const may = useMay('billing:subscriptions:write')
  const [done, setDone] = useState<{ wish: Wish; result: Parameters<typeof CommandOutcome>[0]['result'] }>()
  const page = Object.hasOwn(pages, command ?? '') ? pages[command!] : undefined
  if (!page)
    return (
      <Page title="Not found">
        <Empty
          title="Nothing is known under this address"
          action={
            <ButtonLink to="/billing" search={tenant} variant="default">
              Go to billing
            </ButtonLink>
          }
        >
          Nothing was changed by opening it.
        </Empty>
      </Page>
    )
  if (done) return <CommandOutcome key="done" wish={done.wish} result={done.result} />
  const plan = status.data?.data.subscription?.plan.name ?? 'your plan'
  return (
    <Page title={page.title(plan)} documentTitle={`${page.title(plan)} · Billing`} lead={page.lead}>
      {may ? (
        <StateBlock
          what="your plan"
          reading={status}
          lines={10}
          empty={({ data }) =>
            data.subscription ? null : (
              <Empty
                title="There is no subscription"
                action={
                  <ButtonLink to="/billing/plans" search={tenant}>
                    See plans
                  </ButtonLink>
                }
              >
                Nothing can be done with it, and nothing is charged.
              </Empty>
            )
          }
        >
          {({ data }) => (
            <Command
              key={page.action}
              held={data.subscription!}
              action={page.action}
              danger={page.danger ?? false}
              onDone={(wish, result) => setDone({ wish, result })}
            />
          )}
        </StateBlock>
      ) : (
        <NotAllowed what="do this" />
      )}
    </Page>
  )
}

type Props = {
  held: Held
  action: Action
  danger: boolean
  onDone: (wish: Wish, result: Parameters<typeof CommandOutcome>[0]['result']) => void
}

function Command({ held, action, danger, onDone }: Props) {
  const [view, setView] = useView()
  const hosted = useHostedPage()
  const wish = wishOf(action, view)
  const preview = usePreview(held.id, wish)
  const apply = useApply(held.id, wish)
  const [was, setWas] = useState<CommandPreview>()
  const shown = preview.data
  const error = apply.error ?? preview.error

  const confirm = (confirmed: CommandPreview) => {
    setWas(undefined)
    apply.mutate(confirmed, {
      onSuccess: (result) => onDone(wish, result),
      onError: (refusal) => {
        if (describeProblem(refusal).code !== 'preview_stale') return
        setWas(confirmed)
        void preview.refetch()
      },
    })
  }
  const again = () => {
    if (apply.error && describeProblem(apply.error).retry === 'later' && shown) return confirm(shown)
    apply.reset()
    void preview.refetch()
  }

  return (
    <div className={styles.review} data-waiting={preview.isPlaceholderData || undefined} aria-busy={preview.isFetching}>
      {action === 'cancel' ? (
        <Card title="When">
          <SegmentedControl
            aria-label="When"
            fullWidth
            value={view.when ?? shown?.timing ?? 'period_end'}
            disabled={apply.isPending}
            onChange={(when) => setView({ when }, { replace: true })}
            data={[
              {
                value: 'period_end',
                label: held.status === 'trialing' ? 'When the trial ends' : 'When the period ends',
              },
              { value: 'now', label: 'Now' },
            ]}
          />
        </Card>
      ) : null}
      {action === 'pause' ? (
        <Card title="Until">
          <TextInput
            type="date"
            label="Goes on by itself on"
            description="At the beginning of the day, UTC. Leave it empty to resume it yourself."
            value={view.until ?? ''}
            disabled={apply.isPending}
            onChange={(event) => setView({ until: event.currentTarget.value || undefined }, { replace: true })}
            style={{ maxWidth: 320 }}
          />
        </Card>
      ) : null}
      {error ? (
        <CommandProblem
          error={error}
          hosted={hosted}
          onAgain={again}
          busy={apply.isPending || preview.isFetching}
          stale={was ? { was, is: preview.isFetching ? undefined : shown } : undefined}
        />
      ) : null}
      {hosted.error ? <ProblemNote problem={describeProblem(hosted.error)} /> : null}
      {shown ? (
        <>
          <PreviewDetails preview={shown} />
          {isConfirmable(apply.error) ? (
            <ConfirmBar
              preview={shown}
              busy={apply.isPending}
              waiting={preview.isFetching}
              danger={danger}
              onConfirm={() => confirm(shown)}
              onLookAgain={again}
              back={{ to: '/billing', label: action === 'cancel' ? 'Keep the plan' : 'Back to billing' }}
            />
          ) : null}
        </>
      ) : preview.isPending ? (
        <Loading what="what would happen" lines={10} />
      ) : null}
    </div>
  )
}

function wishOf(action: Action, view: Record<string, string | undefined>): Wish {
  if (action === 'cancel' && (view.when === 'now' || view.when === 'period_end')) return { action, when: view.when }
  if (action === 'pause' && /^\d{4}-\d{2}-\d{2}$/.test(view.until ?? ''))
    return { action, resumesAt: `${view.until}T00:00:00Z` }
  return { action }
}
