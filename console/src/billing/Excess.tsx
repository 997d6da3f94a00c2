import type { BillingStatus, CommandPreview } from '@turnpike/contract'
import { formatInstant } from '../format/dates.ts'
import { formatQuantity } from '../format/quantity.ts'
import { Banner } from '../ui/Banner.tsx'
import { DataTable } from '../ui/DataTable.tsx'
import { TextLink } from '../ui/Links.tsx'
import { useTenant } from './useTenant.ts'

type Item = NonNullable<BillingStatus['remediation']>['items'][number]

/** What is in use above a limit, and by how much to reduce it (SUB-5). */
export function ExcessTable({ items, caption }: { items: Item[]; caption: string }) {
  return (
    <DataTable
      caption={caption}
      rows={items}
      rowKey={(item) => item.feature}
      columns={[
        { title: 'What', cell: (item) => <strong>{item.name}</strong> },
        { title: 'In use', figures: true, cell: (item) => formatQuantity(item.used) },
        { title: 'New limit', figures: true, cell: (item) => formatQuantity(item.limit) },
        { title: 'Reduce by', figures: true, cell: (item) => <strong>{formatQuantity(item.reduceBy)}</strong> },
        { title: 'How it counts', cell: (item) => counting[item.kind] },
      ]}
    />
  )
}

const counting = {
  level: 'as many as exist',
  usage: 'until the period ends',
  seats: 'seats of the plan',
}

/** The guardrails of a preview and what the policy makes of them. */
export function Guardrails({ preview }: { preview: CommandPreview }) {
  const tenant = useTenant()
  const { guardrails, overLimit } = preview
  if (guardrails.length === 0 || !overLimit) return null
  const words = policyWords(overLimit)
  return (
    <div className="stack">
      <Banner tone={overLimit.policy === 'block' ? 'danger' : 'warning'} title={words.title}>
        {words.text} Nothing is deleted.
      </Banner>
      <ExcessTable items={guardrails} caption="What is in use above the limits of the wanted plan" />
      <p className="small">
        <TextLink to="/billing/usage" search={tenant}>
          See what is in use
        </TextLink>
      </p>
    </div>
  )
}

function policyWords({ policy, deadline }: NonNullable<CommandPreview['overLimit']>): { title: string; text: string } {
  if (policy === 'block')
    return {
      title: 'You use more than this plan allows',
      text: 'Reduce what is listed below, then the change is possible.',
    }
  if (policy === 'cleanup_window')
    return {
      title: 'You use more than this plan allows: there is time to reduce it',
      text: `The limits of today stay until ${deadline ? formatInstant(deadline) : 'the deadline'}. From then on nothing new is let in until it fits.`,
    }
  return {
    title: 'You use more than this plan allows',
    text: 'What exists stays and can be used. Nothing new is let in until it fits.',
  }
}
