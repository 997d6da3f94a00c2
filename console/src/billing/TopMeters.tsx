import type { UsageSummary } from '@turnpike/contract'
import { byUrgency } from '../format/meters.ts'
import { Card } from '../ui/Card.tsx'
import { TextLink } from '../ui/Links.tsx'
import { Meter } from '../ui/Meter.tsx'
import { Empty } from '../ui/StateBlock.tsx'
import { useTenant } from './useTenant.ts'

/** The three meters that are nearest to their limit. */
export function TopMeters({ usage }: { usage: UsageSummary }) {
  const tenant = useTenant()
  const meters = usage.meters.toSorted(byUrgency).slice(0, 3)
  return (
    <Card
      title="Usage this period"
      aside={
        <TextLink to="/billing/usage" search={tenant} className="small">
          All usage
        </TextLink>
      }
    >
      {meters.length === 0 ? (
        <Empty title="Nothing is metered">Meters appear here as soon as your plan has some.</Empty>
      ) : (
        <div className="stack" style={{ '--gap': '22px' } as React.CSSProperties}>
          {meters.map((meter) => (
            <Meter key={meter.meter + meter.feature} meter={meter} />
          ))}
        </div>
      )}
    </Card>
  )
}
