import { type Permission, tenantRoles, type Whoami } from '@turnpike/contract'
import { createContext, type ReactNode, useContext } from 'react'

export type SessionInfo = Whoami & { house: boolean }

const SessionContext = createContext<SessionInfo | null>(null)

export function SessionProvider({ whoami, children }: { whoami: Whoami; children: ReactNode }) {
  const session = { ...whoami, house: !tenantRoles.includes(whoami.role) }
  return <SessionContext value={session}>{children}</SessionContext>
}

export function useSession(): SessionInfo {
  const session = useContext(SessionContext)
  if (!session) throw new Error('useSession outside of a signed-in page')
  return session
}

export function useMay(permission: Permission): boolean {
  return useSession().permissions.includes(permission)
}
