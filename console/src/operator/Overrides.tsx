import { Button } from '@mantine/core'
import { useState } from 'react'
import { useApi } from '../api/api.ts'
import { useMay } from '../api/session.tsx'
import { Card } from '../ui/Card.tsx'
import { StateBlock } from '../ui/StateBlock.tsx'
import { OverrideForm } from './OverrideForm.tsx'
import { OverrideItem } from './OverrideItem.tsx'
import styles from './Overrides.module.css'

/** Exceptions for this customer, each with its reason and end. */
export function Overrides({ tenantId }: { tenantId: string }) {
  const mayWrite = useMay('billing:overrides:write')
  const overrides = useApi('listOverrides', { query: { tenantId } })
  const [granting, setGranting] = useState(false)
  return (
    <Card
      title="Overrides"
      aside={
        mayWrite && !granting ? (
          <Button size="compact-md" variant="default" onClick={() => setGranting(true)}>
            Grant an override
          </Button>
        ) : null
      }
    >
      {granting ? <OverrideForm tenantId={tenantId} onClose={() => setGranting(false)} /> : null}
      <StateBlock
        what="overrides"
        reading={overrides}
        lines={2}
        empty={({ data }) =>
          data.length === 0 ? <p className="dim">None. The customer has exactly what the plan gives.</p> : null
        }
      >
        {({ data }) => (
          <ul className={styles.list}>
            {data.map((override) => (
              <OverrideItem key={override.id} override={override} />
            ))}
          </ul>
        )}
      </StateBlock>
    </Card>
  )
}
