import { Button, TextInput } from '@mantine/core'
import type { WebhookReplay } from '@turnpike/contract'
import { type FormEvent, useState } from 'react'
import { describeProblem } from '../api/problem.ts'
import { formatQuantity, plural } from '../format/quantity.ts'
import { words } from '../format/words.ts'
import { useView } from '../search.ts'
import { TextLink } from '../ui/Links.tsx'
import { ProblemNote } from '../ui/StateBlock.tsx'
import styles from './ReplayForm.module.css'
import { useReplay } from './useReplay.ts'

const states = ['dead', 'retrying', 'ignored', 'applied'] as const
type State = (typeof states)[number]

/** Works on many webhooks once more: first counted, then confirmed, then part by part with its progress (WEB-4, OPS-3). */
export function ReplayForm() {
  const [view] = useView()
  const [objectId, setObjectId] = useState('')
  const [tenantId, setTenantId] = useState(view.tenantId ?? '')
  const [from, setFrom] = useState('')
  const [to, setTo] = useState('')
  const [chosen, setChosen] = useState<State[]>(['dead'])
  const replay = useReplay()

  const wish: WebhookReplay = {
    ...(objectId.trim() ? { objectId: objectId.trim() } : {}),
    ...(tenantId.trim() ? { tenantId: tenantId.trim() } : {}),
    ...(from ? { from: `${from}:00Z` } : {}),
    ...(to ? { to: `${to}:00Z` } : {}),
    ...(chosen.length > 0 ? { states: chosen } : {}),
  }
  const backwards = from !== '' && to !== '' && from >= to
  const changed = <T,>(set: (value: T) => void) => {
    return (value: T) => {
      set(value)
      replay.forget()
    }
  }
  const count = (event: FormEvent) => {
    event.preventDefault()
    if (!backwards && chosen.length > 0) replay.count(wish)
  }

  return (
    <>
      <p className="dim">
        Each object is fetched again from the provider. What was applied before has no second effect. What is left empty
        does not narrow.
      </p>
      <form className={styles.form} onSubmit={count} noValidate aria-label="Which webhooks">
        <TextInput
          label="Object at the provider"
          description="sub_…, in_…, cus_…"
          value={objectId}
          onChange={(event) => changed(setObjectId)(event.currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
        />
        <TextInput
          label="Tenant"
          description="The host product’s own id"
          value={tenantId}
          onChange={(event) => changed(setTenantId)(event.currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
        />
        <TextInput
          type="datetime-local"
          label="Received from (UTC)"
          value={from}
          onChange={(event) => changed(setFrom)(event.currentTarget.value)}
        />
        <TextInput
          type="datetime-local"
          label="Received before (UTC)"
          value={to}
          onChange={(event) => changed(setTo)(event.currentTarget.value)}
          error={backwards ? 'The end has to be after the beginning.' : undefined}
        />
        <fieldset className={`${styles.states} ${styles.wide}`}>
          <legend>In these states</legend>
          {states.map((state) => (
            <label key={state}>
              <input
                type="checkbox"
                checked={chosen.includes(state)}
                onChange={(event) =>
                  changed(setChosen)(
                    event.currentTarget.checked ? [...chosen, state] : chosen.filter((each) => each !== state),
                  )
                }
              />
              {words.webhook[state].word}
            </label>
          ))}
        </fieldset>
        {chosen.length === 0 ? <p className={`small ${styles.wide}`}>Choose at least one state.</p> : null}
        <div className={styles.wide}>
          <Button type="submit" variant={replay.counted ? 'default' : 'filled'} loading={replay.step === 'counting'}>
            Count them first
          </Button>
        </div>
      </form>
      <div role="status">
        {replay.counted ? (
          <div className={styles.plan}>
            <p>
              <strong>
                {formatQuantity(replay.counted.total)} {plural(replay.counted.total, 'webhook')}
              </strong>{' '}
              {Object.keys(replay.counted.webhooks).length > 0
                ? `(${Object.entries(replay.counted.webhooks)
                    .map(([state, number]) => `${formatQuantity(number)} ${state}`)
                    .join(', ')})`
                : 'of this description'}
              .
            </p>
            {replay.step === 'counted' && replay.counted.total > 0 ? (
              <div className="row">
                <Button onClick={() => replay.start(wish)}>
                  Replay {formatQuantity(replay.counted.total)} {plural(replay.counted.total, 'webhook')}
                </Button>
                <Button variant="default" onClick={replay.forget}>
                  Not now
                </Button>
              </div>
            ) : null}
            {replay.step === 'replaying' || replay.step === 'done' || replay.step === 'failed' ? (
              <Progress done={replay.asked} total={Math.max(replay.counted.total, replay.asked)} />
            ) : null}
            {replay.step === 'done' ? (
              <p>
                {formatQuantity(replay.asked)} asked for. What becomes of them shows in the{' '}
                <TextLink to="/operator/webhooks" search={{ state: 'pending' }}>
                  inbox
                </TextLink>
                .
              </p>
            ) : null}
          </div>
        ) : null}
      </div>
      {replay.error ? <ProblemNote problem={describeProblem(replay.error)} /> : null}
      {replay.step === 'failed' ? (
        <div>
          <Button onClick={() => replay.goOn(wish)}>Go on where it ended</Button>
        </div>
      ) : null}
    </>
  )
}

function Progress({ done, total }: { done: number; total: number }) {
  const percent = total === 0 ? 100 : Math.floor((100 * done) / total)
  return (
    <div className="stack" style={{ '--gap': '6px' } as React.CSSProperties}>
      <div
        className={styles.bar}
        role="progressbar"
        aria-label="Webhooks asked for again"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
      >
        <div className={styles.fill} style={{ inlineSize: `${percent}%` }} />
      </div>
      <p className="small">
        {formatQuantity(done)} of {formatQuantity(total)}
      </p>
    </div>
  )
}
