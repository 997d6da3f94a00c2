import { useSession } from '../api/session.tsx'
import { useView } from '../search.ts'

/** The tenant to name in requests: only people of the house name one, everybody else's credential says it. */
export function useTenant(): { tenantId?: string } {
  const session = useSession()
  const [view] = useView()
  return session.house && session.tenantId === null && view.tenantId ? { tenantId: view.tenantId } : {}
}
