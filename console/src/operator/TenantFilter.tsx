import { Button, TextInput } from '@mantine/core'
import { type FormEvent, useEffect, useState } from 'react'
import { useView } from '../search.ts'

/** Narrows a list to one tenant, in the address. */
export function TenantFilter() {
  const [view, setView] = useView()
  const [tenantId, setTenantId] = useState(view.tenantId ?? '')
  useEffect(() => setTenantId(view.tenantId ?? ''), [view.tenantId])
  const filter = (event: FormEvent) => {
    event.preventDefault()
    setView({ tenantId: tenantId.trim() || undefined })
  }
  return (
    <form className="row" style={{ alignItems: 'flex-end', flexWrap: 'nowrap' }} onSubmit={filter}>
      <TextInput
        label="Tenant"
        value={tenantId}
        onChange={(event) => setTenantId(event.currentTarget.value)}
        autoComplete="off"
        spellCheck={false}
      />
      <Button type="submit" variant="default">
        Filter
      </Button>
    </form>
  )
}
