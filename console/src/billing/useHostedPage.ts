import type { SessionCreate } from '@turnpike/contract'
import { useState } from 'react'
import { useApiChange } from '../api/api.ts'
import { httpAddress } from './httpAddress.ts'
import { useTenant } from './useTenant.ts'

/** Opens hosted pages of the payment provider: a checkout, a confirmed change, or the portal. */
export function useHostedPage() {
  const tenant = useTenant()
  const session = useApiChange('createSession')
  const [opening, setOpening] = useState<string | null>(null)

  /** `key` names the button that was pressed, so that only that one shows that it works. */
  const open = (key: string, body: SessionCreate) => {
    setOpening(key)
    session.mutate(
      { body: { ...tenant, ...body } },
      {
        onSuccess: ({ data }) => location.assign(httpAddress(data.sessionUrl) ?? '/billing'),
        onError: () => setOpening(null),
      },
    )
  }
  // The server adds the id of the checkout and the outcome to these addresses.
  const back = `${location.origin}/billing/return`
  return {
    openCheckout: (key: string, body: SessionCreate) => open(key, { ...body, returnUrl: back, cancelUrl: back }),
    openPortal: (key: string) =>
      open(key, { kind: 'portal', returnUrl: `${location.origin}/billing${location.search}` }),
    opening,
    error: session.error,
    clear: session.reset,
  }
}
