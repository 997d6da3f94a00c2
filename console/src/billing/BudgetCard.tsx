import { Button, Checkbox, TextInput } from '@mantine/core'
import type { CustomerBudget } from '@turnpike/contract'
import { type FormEvent, useState } from 'react'
import { useApi, useApiChange } from '../api/api.ts'
import { describeProblem } from '../api/problem.ts'
import { useMay } from '../api/session.tsx'
import { formatMoney, minorDigits, minorToDecimal, parseMoney } from '../format/money.ts'
import { Card } from '../ui/Card.tsx'
import { Instant } from '../ui/Instant.tsx'
import meter from '../ui/Meter.module.css'
import { ProblemNote, StateBlock } from '../ui/StateBlock.tsx'
import { useTenant } from './useTenant.ts'

/** What usage costs until now, what it may cost, and when to be told. */
export function BudgetCard() {
  const tenant = useTenant()
  const status = useApi('getStatus', { query: tenant })
  return (
    <Card title="What usage may cost">
      <StateBlock what="your account" reading={status} lines={4}>
        {({ data }) => <Budget customerId={data.customerId} />}
      </StateBlock>
    </Card>
  )
}

function Budget({ customerId }: { customerId: string }) {
  const params = { customerId }
  const budget = useApi('getBudget', { params }, { refetchInterval: 10_000 })
  const customer = useApi('getCustomer', { params })
  const mayWrite = useMay('billing:budgets:write')
  const [changing, setChanging] = useState(false)
  return (
    <StateBlock what="your budget" reading={budget} lines={4}>
      {({ data }) => {
        const currency = data.cost?.currency ?? data.budget?.currency ?? customer.data?.data.currency
        return (
          <>
            <Progress view={data} />
            {mayWrite && currency ? (
              changing ? (
                <BudgetForm
                  customerId={customerId}
                  view={data}
                  currency={currency}
                  onClose={() => setChanging(false)}
                />
              ) : (
                <div>
                  <Button variant="default" onClick={() => setChanging(true)}>
                    {data.budget ? 'Change the budget' : 'Set a budget'}
                  </Button>
                </div>
              )
            ) : null}
          </>
        )
      }}
    </StateBlock>
  )
}

function Progress({ view: { budget, cost, percent, period, alerts, capLeavesOut } }: { view: CustomerBudget }) {
  const spent = cost ? formatMoney(cost, { explicit: true }) : null
  if (!budget)
    return <p>{spent ? `Usage costs ${spent} until now. You have set no budget.` : 'You have set no budget.'}</p>
  const amount = formatMoney(budget, { explicit: true })
  const figure = spent ? `${spent} of ${amount}` : amount
  const last = alerts.at(-1)
  return (
    <div className={meter.meter}>
      <p className={meter.figure}>{figure}</p>
      {percent === null ? null : (
        // biome-ignore lint/a11y/useSemanticElements: no browser draws a <meter> in our tones
        <div
          className={meter.bar}
          role="meter"
          aria-label="Budget used"
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.min(percent, 100)}
          aria-valuetext={figure}
        >
          <div
            className={meter.fill}
            data-tone={percent >= 100 ? 'danger' : percent >= 80 ? 'warning' : 'neutral'}
            style={{ inlineSize: `${Math.min(percent, 100)}%` }}
          />
        </div>
      )}
      <p className="dim small">
        {budget.cap ? 'Usage that would cost more is refused.' : 'Usage goes on above it.'}
        {capLeavesOut.length > 0
          ? ` It holds nothing back of ${capLeavesOut.map(({ name }) => name).join(', ')}: what that costs is known only when the period is closed.`
          : ''}
        {budget.alertAtPercent.length > 0 ? ` You are told at ${budget.alertAtPercent.join(', ')}%.` : ''}
        {last ? (
          <>
            {' '}
            Told last at {last.percent}%, <Instant at={last.toldAt} />.
          </>
        ) : null}
        {period ? (
          <>
            {' '}
            The count begins again on <Instant at={period.end} />.
          </>
        ) : null}
      </p>
    </div>
  )
}

type FormProps = { customerId: string; view: CustomerBudget; currency: string; onClose: () => void }

function BudgetForm({ customerId, view, currency, onClose }: FormProps) {
  const params = { customerId }
  const set = useApiChange('setBudget')
  const remove = useApiChange('removeBudget')
  const [amount, setAmount] = useState(
    view.budget ? minorToDecimal(view.budget.amountMinor, minorDigits(currency)) : '',
  )
  const [alerts, setAlerts] = useState((view.budget?.alertAtPercent ?? [80, 100]).join(', '))
  const [cap, setCap] = useState(view.budget?.cap ?? false)
  const [tried, setTried] = useState(false)
  const amountMinor = parseMoney(amount, currency)
  const percents = percentsOf(alerts)
  const error = set.error ?? remove.error
  const save = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (amountMinor === null || percents === null) return
    set.mutate({ params, body: { amountMinor, currency, alertAtPercent: percents, cap } }, { onSuccess: onClose })
  }
  const effect =
    cap && amountMinor !== null
      ? `Usage that would make a period cost more than ${formatMoney({ amountMinor, currency }, { explicit: true })} will be refused, also in the middle of your work.`
      : 'Nothing is refused: you are told.'
  return (
    <form className="stack" onSubmit={save} noValidate aria-label="Budget">
      <TextInput
        label={`Amount in ${currency}`}
        description="For usage in one period, without the price of the plan"
        value={amount}
        inputMode="decimal"
        onChange={(event) => setAmount(event.currentTarget.value)}
        error={tried && amountMinor === null ? `An amount in ${currency}, such as 250.` : undefined}
      />
      <TextInput
        label="Tell me at these percents"
        description="Separated by commas; leave it empty to be told nothing"
        value={alerts}
        onChange={(event) => setAlerts(event.currentTarget.value)}
        error={tried && percents === null ? 'Up to 10 whole percents from 1 to 1000.' : undefined}
      />
      <Checkbox
        label="Refuse usage that would cost more"
        checked={cap}
        onChange={(event) => setCap(event.currentTarget.checked)}
      />
      <p className="small" role="status">
        {effect}
      </p>
      <div className="row">
        <Button type="submit" loading={set.isPending}>
          Save the budget
        </Button>
        {view.budget ? (
          <Button
            variant="default"
            loading={remove.isPending}
            onClick={() => remove.mutate({ params }, { onSuccess: onClose })}
          >
            Take the budget away
          </Button>
        ) : null}
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
      </div>
      {error ? <ProblemNote problem={describeProblem(error)} /> : null}
    </form>
  )
}

const percentsOf = (text: string): number[] | null => {
  const parts = text.split(/[,\s%]+/).filter((part) => part !== '')
  const percents = [...new Set(parts.map(Number))]
  const fits = percents.every((percent) => Number.isInteger(percent) && percent >= 1 && percent <= 1_000)
  return fits && percents.length <= 10 ? percents : null
}
