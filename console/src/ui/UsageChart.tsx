import { BarChart } from '@mantine/charts'
import '@mantine/charts/styles.layer.css'
import type { UsageHistory } from '@turnpike/contract'
import { formatQuantity } from '../format/quantity.ts'

/** Loaded only where something is drawn: the library is larger than all pages together. */
export default function UsageChart({
  history,
  labelOf,
}: {
  history: UsageHistory
  labelOf: (start: string) => string
}) {
  const series = history.groups ?? ['used']
  return (
    <BarChart
      h={220}
      data={history.points.map(({ start, used, groups }) => ({ at: labelOf(start), used, ...groups }))}
      dataKey="at"
      type="stacked"
      series={series.map((name, place) => ({
        name,
        label: name === 'used' ? history.name : name,
        color: `var(${tones[place % tones.length]})`,
      }))}
      withLegend={history.groups !== null}
      valueFormatter={(value) => formatQuantity(value)}
      barProps={{ isAnimationActive: false, radius: 2 }}
      gridProps={{ stroke: 'var(--tp-line)' }}
      xAxisProps={{ minTickGap: 24 }}
      // The table below says the same in words, and can be walked through.
      barChartProps={{ accessibilityLayer: false }}
      aria-hidden
    />
  )
}

const tones = ['--tp-info-mark', '--tp-ok-mark', '--tp-warning-mark', '--tp-neutral-mark', '--tp-danger-mark']
