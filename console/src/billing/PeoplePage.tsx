import { Button, TextInput } from '@mantine/core'
import type { Owner, OwnerTransfer } from '@turnpike/contract'
import { type FormEvent, useState } from 'react'
import { useApi, useApiChange } from '../api/api.ts'
import { describeProblem } from '../api/problem.ts'
import { useMay, useSession } from '../api/session.tsx'
import { Banner } from '../ui/Banner.tsx'
import { Card } from '../ui/Card.tsx'
import { DataTable } from '../ui/DataTable.tsx'
import { Instant } from '../ui/Instant.tsx'
import { Page } from '../ui/Page.tsx'
import { Empty, ProblemNote, StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { NotAllowed } from './NotAllowed.tsx'
import { Sure } from './Sure.tsx'
import { useTenant } from './useTenant.ts'

/** Who is asked and told about billing, and how that is handed over (CUS-3). */
export function PeoplePage() {
  const tenant = useTenant()
  const status = useApi('getStatus', { query: tenant })
  const may = useMay('billing:owners:read')
  return (
    <Page
      title="Billing owners"
      documentTitle="People · Billing"
      lead="Owners are asked and told about everything that has to do with money. What somebody may do here is decided by their role in the product."
    >
      {may ? (
        <StateBlock what="your account" reading={status} lines={8}>
          {({ data }) => <People customerId={data.customerId} />}
        </StateBlock>
      ) : (
        <NotAllowed what="see the billing owners" />
      )}
    </Page>
  )
}

function People({ customerId }: { customerId: string }) {
  const params = { customerId }
  const owners = useApi('listOwners', { params })
  const transfers = useApi('listOwnerTransfers', { params })
  const mayWrite = useMay('billing:owners:write')
  const open = transfers.data?.data.find(({ state }) => state === 'requested')
  return (
    <>
      {open ? <OpenTransfer transfer={open} mayWrite={mayWrite} /> : null}
      <Card title="Owners">
        <StateBlock
          what="owners"
          reading={owners}
          empty={({ data }) =>
            data.length === 0 ? (
              <Empty title="Nobody is billing owner yet">
                Ask somebody below: they are owner as soon as they have confirmed by the link that they get.
              </Empty>
            ) : null
          }
        >
          {({ data }) => <Owners owners={data} customerId={customerId} mayWrite={mayWrite} />}
        </StateBlock>
      </Card>
      {mayWrite && !open && owners.data ? <AskForm customerId={customerId} owners={owners.data.data} /> : null}
      <Earlier transfers={transfers.data?.data.filter(({ state }) => state !== 'requested') ?? []} />
    </>
  )
}

function Owners({ owners, customerId, mayWrite }: { owners: Owner[]; customerId: string; mayWrite: boolean }) {
  const session = useSession()
  const leave = useApiChange('removeOwner')
  return (
    <>
      <DataTable
        caption="Billing owners"
        rows={owners}
        rowKey={(owner) => owner.personId}
        columns={[
          { title: 'Name', cell: (owner) => <strong>{owner.name}</strong> },
          { title: 'Address', cell: (owner) => owner.email },
          { title: 'Since', cell: (owner) => <Instant at={owner.since} show="day" /> },
          {
            title: 'Action',
            cell: (owner) =>
              mayWrite && owners.length > 1 && owner.personId === session.actor ? (
                <Sure
                  label="Leave"
                  question="You will not be asked and told about billing any more."
                  confirm="Leave as owner"
                  busy={leave.isPending}
                  onConfirm={() => leave.mutate({ params: { customerId, personId: owner.personId } })}
                />
              ) : owners.length === 1 ? (
                <span className="dim">the only one</span>
              ) : (
                <span className="dim">–</span>
              ),
          },
        ]}
      />
      {leave.error ? <ProblemNote problem={describeProblem(leave.error)} /> : null}
    </>
  )
}

function OpenTransfer({ transfer, mayWrite }: { transfer: OwnerTransfer; mayWrite: boolean }) {
  const cancel = useApiChange('cancelOwnerTransfer')
  return (
    <>
      <Banner
        tone="info"
        title={`${transfer.to.name} was asked to become billing owner`}
        actions={
          mayWrite ? (
            <Sure
              label="Take it back"
              question={`The link that ${transfer.to.name} got stops working.`}
              confirm="Take the request back"
              busy={cancel.isPending}
              onConfirm={() => cancel.mutate({ params: { transferId: transfer.id } })}
            />
          ) : null
        }
      >
        A link was sent to {transfer.to.email} on <Instant at={transfer.requestedAt} />. It works until{' '}
        <Instant at={transfer.expiresAt} distance />.{' '}
        {transfer.fromPersonId ? 'Whoever hands over stays owner until it is confirmed.' : 'Nobody leaves by it.'}
      </Banner>
      {cancel.error ? <ProblemNote problem={describeProblem(cancel.error)} /> : null}
    </>
  )
}

function AskForm({ customerId, owners }: { customerId: string; owners: Owner[] }) {
  const session = useSession()
  const ask = useApiChange('requestOwnerTransfer')
  const [name, setName] = useState('')
  const [email, setEmail] = useState('')
  const [how, setHow] = useState<'stays' | 'hands_over'>('stays')
  const [tried, setTried] = useState(false)
  const nameMistake = name.trim() === '' ? 'Say the name.' : undefined
  const emailMistake = /^\S+@\S+$/.test(email.trim()) ? undefined : 'Say the e-mail address.'
  const self = owners.some(({ personId }) => personId === session.actor)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (nameMistake || emailMistake) return
    const [only] = owners
    ask.mutate(
      {
        params: { customerId },
        body: {
          to: { name: name.trim(), email: email.trim() },
          ...(how === 'stays' ? { stays: true } : !self && only ? { fromPersonId: only.personId } : {}),
        },
      },
      {
        onSuccess: () => {
          setName('')
          setEmail('')
          setTried(false)
        },
      },
    )
  }
  return (
    <Card title="Ask somebody to become owner">
      <form className="stack" onSubmit={submit} noValidate style={{ maxWidth: 460 }}>
        <TextInput
          label="Name"
          value={name}
          autoComplete="off"
          error={tried ? nameMistake : undefined}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label="E-mail address"
          description="A link is sent there. Nothing changes before it is confirmed."
          type="email"
          value={email}
          autoComplete="off"
          error={tried ? emailMistake : undefined}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        {owners.length > 0 ? (
          <fieldset style={{ border: 0, padding: 0, margin: 0 }}>
            <legend style={{ fontWeight: 600, padding: 0 }}>What happens to the owners of today</legend>
            <Choice name="how" checked={how === 'stays'} onChoose={() => setHow('stays')}>
              They stay: there is one more owner
            </Choice>
            <Choice name="how" checked={how === 'hands_over'} onChoose={() => setHow('hands_over')}>
              {self ? 'I hand over to the new owner' : `${owners[0]?.name} hands over to the new owner`}; bills go there
              too
            </Choice>
          </fieldset>
        ) : null}
        <div>
          <Button type="submit" loading={ask.isPending}>
            Send the request
          </Button>
        </div>
        {ask.error ? <ProblemNote problem={describeProblem(ask.error)} /> : null}
      </form>
    </Card>
  )
}

function Choice(props: { name: string; checked: boolean; onChoose: () => void; children: React.ReactNode }) {
  return (
    <label style={{ display: 'flex', gap: 8, alignItems: 'baseline', minHeight: 28, marginTop: 4 }}>
      <input type="radio" name={props.name} checked={props.checked} onChange={props.onChoose} />
      <span>{props.children}</span>
    </label>
  )
}

function Earlier({ transfers }: { transfers: OwnerTransfer[] }) {
  if (transfers.length === 0) return null
  return (
    <Card title="Earlier requests">
      <DataTable
        caption="Requests to become billing owner, newest first"
        rows={transfers}
        rowKey={(transfer) => transfer.id}
        columns={[
          { title: 'Who was asked', cell: (transfer) => <strong>{transfer.to.name}</strong> },
          { title: 'Address', cell: (transfer) => transfer.to.email },
          { title: 'Asked', cell: (transfer) => <Instant at={transfer.requestedAt} show="day" /> },
          { title: 'Answer', cell: (transfer) => <StatusTag group="transfer" state={transfer.state} /> },
        ]}
      />
    </Card>
  )
}
