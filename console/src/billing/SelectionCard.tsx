import type { BillingStatus, CommandPreview, PlanOffer } from '@turnpike/contract'
import { intervalName, perInterval } from '../format/interval.ts'
import { formatMoney } from '../format/money.ts'
import { useView } from '../search.ts'
import { Card } from '../ui/Card.tsx'
import { FilterLinks } from '../ui/FilterLinks.tsx'
import { Stepper } from '../ui/Stepper.tsx'
import styles from './Review.module.css'
import { addOnsText, type Selection } from './selection.ts'

type Props = {
  offers: PlanOffer[]
  held: BillingStatus['subscription']
  selection: Selection
  /** What the server says would be held, which fills in what was not chosen. */
  after: CommandPreview['after']
  busy: boolean
}

/** The terms to choose: each choice is in the address, and the review follows it. */
export function SelectionCard({ offers, held, selection, after, busy }: Props) {
  const [, setView] = useView()
  const { offer, price } = selection
  if (!offer || !price) return null
  const same = offer.plan === held?.plan.plan
  const seats = selection.seats ?? after?.seats ?? (same ? held?.seats : undefined) ?? offer.seats?.included ?? 1
  const held_ = held?.addOns ?? []
  const addOns = selection.addOns ?? after?.addOns ?? held_
  const quantityOf = (addOn: string) => addOns.find((each) => each.addOn === addOn)?.quantity ?? 0
  const setAddOn = (addOn: string, quantity: number) =>
    setView(
      { addOns: addOnsText([...addOns.filter((each) => each.addOn !== addOn), { addOn, quantity }]) },
      { replace: true },
    )
  const offered = offer.addOns.filter(({ prices }) => prices.some((each) => each.price === price.price))
  return (
    <Card title="Your selection">
      <div className={styles.group}>
        <h3>Plan</h3>
        <FilterLinks
          label="Plan"
          param="plan"
          chosen={offer.plan}
          options={offers
            .filter(({ prices }) => prices.length > 0)
            .map(({ plan, name }) => ({ value: plan, label: name }))}
        />
      </div>
      {offer.prices.length > 1 ? (
        <div className={styles.group}>
          <h3>Paid</h3>
          <FilterLinks
            label="Interval"
            param="price"
            chosen={price.price}
            options={offer.prices.map((each) => ({ value: each.price, label: intervalName(each.interval) }))}
          />
        </div>
      ) : null}
      <p className="dim small">
        {formatMoney(price.amount)} {price.amount.currency} {perInterval(price.interval)}, before tax
      </p>
      {offer.seats && (price.perSeat || seats !== offer.seats.included) ? (
        <Stepper
          label="Seats"
          value={seats}
          min={1}
          max={offer.seats.max ?? 100_000}
          disabled={busy}
          note={`${offer.seats.included} included${price.perSeat ? `, each further ${formatMoney(price.perSeat)}` : ''}${offer.seats.max === null ? '' : `, at most ${offer.seats.max}`}`}
          onChange={(wanted) => setView({ seats: String(wanted) }, { replace: true })}
        />
      ) : null}
      {offered.map(({ addOn, name, prices }) => {
        const one = prices.find((each) => each.price === price.price)
        return (
          <Stepper
            key={addOn}
            label={name}
            value={quantityOf(addOn)}
            min={0}
            max={999}
            disabled={busy}
            note={one ? `${formatMoney(one.amount)} ${perInterval(price.interval)}` : undefined}
            onChange={(quantity) => setAddOn(addOn, quantity)}
          />
        )
      })}
    </Card>
  )
}
