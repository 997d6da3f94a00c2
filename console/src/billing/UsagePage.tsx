import { Button } from '@mantine/core'
import type { MeterUsage, UsageSummary } from '@turnpike/contract'
import { useApi } from '../api/api.ts'
import { useMay } from '../api/session.tsx'
import { byUrgency, isForLife, summariseMeters, viewMeter } from '../format/meters.ts'
import { formatQuantity, plural } from '../format/quantity.ts'
import { Card, Facts } from '../ui/Card.tsx'
import { Instant, Period } from '../ui/Instant.tsx'
import { ButtonLink } from '../ui/Links.tsx'
import { Meter } from '../ui/Meter.tsx'
import { Page } from '../ui/Page.tsx'
import { Empty, StateBlock } from '../ui/StateBlock.tsx'
import { UsageHistory } from '../ui/UsageHistory.tsx'
import { CostSoFar } from './CostSoFar.tsx'
import styles from './UsagePage.module.css'
import { useTenant } from './useTenant.ts'

/** How much is used and left of everything that is metered, until when, and what it costs (UI-1, USE-6, INV-5). */
export function UsagePage() {
  const tenant = useTenant()
  const usage = useApi('getUsage', { query: tenant }, { refetchInterval: 10_000 })
  const seesCost = useMay('billing:invoices:read')
  return (
    <Page
      title="Usage"
      lead={usage.data ? <span role="status">{summariseMeters(usage.data.data.meters)}</span> : null}
      aside={
        <Button variant="default" size="compact-md" onClick={() => usage.refetch()} loading={usage.isRefetching}>
          Refresh
        </Button>
      }
    >
      <StateBlock
        what="usage"
        reading={usage}
        lines={10}
        empty={({ data }) =>
          data.meters.length === 0 ? (
            <Empty title="Nothing is metered yet">
              Meters appear here as soon as your plan has some, with the first use counted within a second.
            </Empty>
          ) : null
        }
      >
        {({ data }) => <Meters usage={data} />}
      </StateBlock>
      {seesCost ? <CostSoFar /> : null}
    </Page>
  )
}

function Meters({ usage }: { usage: UsageSummary }) {
  const tenant = useTenant()
  const offersUpgrade = usage.meters.some((meter) => meter.upgradePlan !== null)
  const plans = useApi('listPlans', { query: tenant }, { enabled: offersUpgrade })
  const nameOf = (plan: string) => plans.data?.data.find((offer) => offer.plan === plan)?.name ?? plan
  return (
    <>
      <div className={styles.grid}>
        {usage.meters.toSorted(byUrgency).map((meter) => (
          <Card key={meter.meter + meter.feature} title={meter.name} hideTitle>
            <Meter meter={meter} level={3}>
              <Facts facts={factsOf(meter)} />
              {meter.upgradePlan ? (
                <div>
                  <ButtonLink
                    to="/billing/plans"
                    search={{ ...tenant, plan: meter.upgradePlan }}
                    variant={meter.state === 'upgrade_available' ? 'filled' : 'default'}
                    size="compact-md"
                  >
                    {nameOf(meter.upgradePlan)} has more
                  </ButtonLink>
                </div>
              ) : null}
            </Meter>
          </Card>
        ))}
      </div>
      <UsageHistory tenantId={tenant.tenantId} meters={usage.meters} />
      <p className="small dim">
        As of <Instant at={usage.asOf} show="seconds" /> · entitlements version {usage.snapshotVersion}
      </p>
    </>
  )
}

function factsOf(meter: MeterUsage): ([string, React.ReactNode] | null)[] {
  const view = viewMeter(meter)
  const units = (quantity: number) => `${formatQuantity(quantity)} ${plural(quantity, meter.unit)}`
  return [
    meter.included !== null && meter.included !== meter.limit ? ['Included', units(meter.included)] : null,
    meter.overage > 0 ? ['Above included', units(meter.overage)] : null,
    view.state === 'not_included' || meter.limit === null
      ? null
      : ['At the limit', meter.enforcement === 'soft' ? 'Warns and lets through' : 'Refuses'],
    ['Counted', isForLife(meter) ? 'From the beginning on' : <Period key="window" value={meter.window} />],
  ]
}
