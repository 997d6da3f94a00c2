import { Navigate } from '@tanstack/react-router'
import { useSession } from './api/session.tsx'

/** Everybody's start: customers see their billing page, the house sees what waits for it. */
export function HomePage() {
  return <Navigate to={useSession().house ? '/operator' : '/billing'} replace />
}
