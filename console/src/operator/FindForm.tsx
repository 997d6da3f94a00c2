import { Button, TextInput } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useEffect, useState } from 'react'

/** Finds a customer by name, tenant, e-mail or any id; a whole id of ours goes straight to its page. */
export function FindForm({ value = '' }: { value?: string }) {
  const navigate = useNavigate()
  const [text, setText] = useState(value)
  useEffect(() => setText(value), [value])

  const find = (event: FormEvent) => {
    event.preventDefault()
    const wanted = text.trim()
    if (/^customer_[0-9a-z]{26}$/.test(wanted)) {
      return navigate({ to: '/operator/customers/$customerId', params: { customerId: wanted } } as never)
    }
    if (/^checkout_[0-9a-z]{26}$/.test(wanted)) {
      return navigate({ to: '/billing/return', search: { checkout: wanted } } as never)
    }
    return navigate({ to: '/operator/customers', search: wanted ? { search: wanted } : {} } as never)
  }

  return (
    // biome-ignore lint/a11y/useSemanticElements: <search> is younger than the browsers that customers' operators have
    <form role="search" onSubmit={find} className="row" style={{ alignItems: 'flex-end' }}>
      <TextInput
        label="Find a customer"
        description="Name, tenant, e-mail, or any id of ours or of the provider"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        style={{ flex: '1 1 260px', maxWidth: 520 }}
        autoComplete="off"
        spellCheck={false}
      />
      <Button type="submit">Find</Button>
    </form>
  )
}
