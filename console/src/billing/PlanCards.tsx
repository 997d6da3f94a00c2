import { Button } from '@mantine/core'
import type { BillingStatus, PlanOffer } from '@turnpike/contract'
import { formatDay } from '../format/dates.ts'
import { perInterval } from '../format/interval.ts'
import { formatMoney } from '../format/money.ts'
import { planChoice, savingPercent } from '../format/relations.ts'
import { ButtonLink } from '../ui/Links.tsx'
import { StatusIcon } from '../ui/StatusTag.tsx'
import styles from './PlanCards.module.css'
import type { Choice } from './PlansPage.tsx'
import { useTenant } from './useTenant.ts'

type Props = {
  offers: PlanOffer[]
  interval: string
  status: BillingStatus | undefined
  mayChoose: boolean
  opening: string | null
  highlighted: string | undefined
  seats: number | undefined
  /** First plans are paid on the provider's page; whoever has paid before reviews here. */
  hosted: boolean
  onChoose: (choice: Choice) => void
}

export function PlanCards({ offers, ...rest }: Props) {
  return (
    <ul className={styles.cards}>
      {offers.map((offer) => (
        <PlanCardItem key={offer.plan} offer={offer} {...rest} />
      ))}
    </ul>
  )
}

function PlanCardItem({
  offer,
  interval,
  status,
  mayChoose,
  opening,
  highlighted,
  seats,
  hosted,
  onChoose,
}: Omit<Props, 'offers'> & { offer: PlanOffer }) {
  const price = offer.prices.find((each) => each.interval === interval)
  const tenant = useTenant()
  const held = status?.subscription != null && status.status !== 'canceled'
  const choice = planChoice(offer, price, held)
  const saving = price ? savingPercent(offer.prices, price) : null
  const tooManySeats = seats !== undefined && offer.seats?.max != null && seats > offer.seats.max
  const current = (price?.relation ?? offer.relation) === 'current'
  const id = `plan-${offer.plan}`
  return (
    <li
      className={styles.card}
      data-current={current || undefined}
      data-highlighted={highlighted === offer.plan || undefined}
      aria-labelledby={id}
    >
      <div className={styles.top}>
        <h2 id={id}>{offer.name}</h2>
        {offer.relation === 'current' ? (
          <span className={styles.mark}>
            <StatusIcon icon="check" /> Your plan
          </span>
        ) : null}
        {offer.relation === 'scheduled' && status?.pendingChange ? (
          <span className={styles.mark}>
            <StatusIcon icon="clock" /> From {formatDay(status.pendingChange.effectiveAt)}
          </span>
        ) : null}
      </div>
      <p className={styles.description}>{offer.description}</p>
      <p className={styles.price}>
        {price ? (
          <>
            <strong className="figures">{formatMoney(price.amount)}</strong>
            <span className="dim">
              {price.amount.currency} {perInterval(price.interval)}
            </span>
          </>
        ) : offer.prices.length === 0 ? (
          <strong>{offer.model === 'usage' ? 'Pay as you go' : 'Free'}</strong>
        ) : (
          <span className="dim">Not offered {perInterval(interval)}</span>
        )}
      </p>
      <p className={styles.note}>
        {saving !== null
          ? `${saving}% less than paying ${perInterval(offer.prices.toSorted(byAmount)[0]?.interval ?? 'month').replace('per ', 'by the ')}`
          : offer.trialDays > 0 && offer.relation === 'start'
            ? `${offer.trialDays} days free, then charged`
            : ''}
      </p>
      {mayChoose ? (
        choice.chooses === 'nothing' ? (
          <p className={styles.nothing}>{choice.label}</p>
        ) : (
          <>
            {hosted || choice.chooses === 'cancel' ? (
              <Choose
                link={choice.chooses === 'cancel' ? { to: '/billing/subscription/cancel', search: tenant } : null}
                variant={choice.primary ? 'filled' : 'default'}
                loading={opening === offer.plan}
                disabled={tooManySeats || (opening !== null && opening !== offer.plan)}
                onClick={() => onChoose({ offer, price })}
              >
                {choice.label}
              </Choose>
            ) : (
              <Choose
                link={{
                  to: '/billing/change',
                  search: {
                    ...tenant,
                    plan: offer.plan,
                    price: price?.price,
                    ...(seats !== undefined && offer.seats ? { seats: String(seats) } : {}),
                  },
                }}
                variant={choice.primary ? 'filled' : 'default'}
                disabled={tooManySeats}
              >
                {choice.label}
              </Choose>
            )}
            {tooManySeats ? <p className="small dim">{`At most ${offer.seats?.max} seats.`}</p> : null}
          </>
        )
      ) : null}
      <ul className={styles.features}>
        {offer.features
          .filter((feature) => feature.included)
          .sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind))
          .slice(0, 8)
          .map((feature) => (
            <li key={feature.feature}>
              <span className={styles.tick}>
                <StatusIcon icon="check" size={15} />
              </span>
              <span>{feature.kind === 'boolean' ? feature.name : `${feature.name}: ${feature.sentence}`}</span>
            </li>
          ))}
      </ul>
      {offer.usagePrices.map(({ price, name, sentence }) => (
        <p key={price} className="small dim">{`${name}: ${sentence}`}</p>
      ))}
    </li>
  )
}

type ChooseProps = {
  link: { to: string; search: Record<string, string | undefined> } | null
  variant: 'filled' | 'default'
  loading?: boolean
  disabled?: boolean
  onClick?: () => void
  children: string
}

/** A link to a page of ours, or a button that opens a hosted one. */
function Choose({ link, variant, loading = false, disabled = false, onClick, children }: ChooseProps) {
  if (link && !disabled)
    return (
      <ButtonLink to={link.to} search={link.search} fullWidth variant={variant}>
        {children}
      </ButtonLink>
    )
  return (
    <Button fullWidth variant={variant} loading={loading} disabled={disabled} {...(onClick ? { onClick } : {})}>
      {children}
    </Button>
  )
}

const byAmount = (a: PlanOffer['prices'][number], b: PlanOffer['prices'][number]) =>
  BigInt(a.amount.amountMinor) < BigInt(b.amount.amountMinor) ? -1 : 1

// What differs most between plans comes first; the table below has everything.
const kinds = ['metered', 'value', 'boolean']
