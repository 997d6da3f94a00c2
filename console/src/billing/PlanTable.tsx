import type { PlanOffer } from '@turnpike/contract'
import { Card } from '../ui/Card.tsx'
import styles from './PlanTable.module.css'

const groups = [
  { kind: 'metered', title: 'Allowances' },
  { kind: 'value', title: 'Limits and settings' },
  { kind: 'boolean', title: 'Features' },
] as const

/** Every feature against every plan, in words. */
export function PlanTable({ offers }: { offers: PlanOffer[] }) {
  const features = [...new Map(offers.flatMap((offer) => offer.features).map((each) => [each.feature, each])).values()]
  const usage = [...new Map(offers.flatMap((offer) => offer.usagePrices).map((each) => [each.price, each])).values()]
  return (
    <Card title="Compare in full">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable without a mouse */}
      <section className={styles.scroll} tabIndex={0} aria-label="Comparison of all plans, scrolls sideways">
        <table className={styles.table}>
          <caption className="hidden">What each plan includes</caption>
          <thead>
            <tr>
              <th scope="col">
                <span className="hidden">Feature</span>
              </th>
              {offers.map((offer) => (
                <th key={offer.plan} scope="col">
                  {offer.name}
                </th>
              ))}
            </tr>
          </thead>
          {groups.map(({ kind, title }) => {
            const rows = features.filter((feature) => feature.kind === kind)
            return rows.length === 0 ? null : (
              <tbody key={kind}>
                <tr>
                  <th scope="rowgroup" colSpan={offers.length + 1} className={styles.group}>
                    {title}
                  </th>
                </tr>
                {rows.map((row) => (
                  <tr key={row.feature}>
                    <th scope="row">{row.name}</th>
                    {offers.map((offer) => (
                      <td key={offer.plan}>{cell(offer, row.feature)}</td>
                    ))}
                  </tr>
                ))}
              </tbody>
            )
          })}
          {usage.length === 0 ? null : (
            <tbody>
              <tr>
                <th scope="rowgroup" colSpan={offers.length + 1} className={styles.group}>
                  Usage prices
                </th>
              </tr>
              {usage.map((row) => (
                <tr key={row.price}>
                  <th scope="row">{row.name}</th>
                  {offers.map((offer) => (
                    <td key={offer.plan}>{usageCell(offer, row.price)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          )}
        </table>
      </section>
    </Card>
  )
}

function usageCell(offer: PlanOffer, price: string) {
  const found = offer.usagePrices.find((each) => each.price === price)
  return found ? found.sentence : <span className="dim">Not charged</span>
}

function cell(offer: PlanOffer, feature: string) {
  const found = offer.features.find((each) => each.feature === feature)
  if (!found?.included) return <span className="dim">Not included</span>
  return found.kind === 'boolean' ? 'Included' : found.sentence
}
