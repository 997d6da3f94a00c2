import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { api, queryClient } from '../api/api.ts'
import { nextWaitMs } from './nextWait.ts'

/** Tells the server once that the customer is back, then looks until the checkout has an end. */
export function useCheckoutReturn(id: string, outcome: 'returned' | 'canceled') {
  const [waiting, setWaiting] = useState<'looking' | 'given_up'>('looking')
  const reading = useQuery({ queryKey: ['return', id], queryFn: () => look(id, outcome) })
  const checkout = reading.data?.data
  const open = !reading.data || checkout?.state === 'pending_sync' || checkout?.state === 'opening'
  const { refetch } = reading

  useEffect(() => {
    if (!open || waiting === 'given_up') return
    let waitedMs = 0
    let looks = 0
    let timer: ReturnType<typeof setTimeout>
    const plan = () => {
      looks += 1
      const waitMs = nextWaitMs(looks, waitedMs)
      if (waitMs === null) return setWaiting('given_up')
      waitedMs += waitMs
      timer = setTimeout(() => refetch().then(plan), waitMs)
    }
    plan()
    return () => clearTimeout(timer)
  }, [open, waiting, refetch])

  // What was bought changes every other page.
  useEffect(() => {
    if (checkout?.state !== 'completed') return
    for (const name of ['getStatus', 'getEntitlements', 'getUsage', 'listPlans']) {
      void queryClient.invalidateQueries({ queryKey: [name] })
    }
  }, [checkout?.state])

  return {
    checkout,
    error: reading.error,
    waiting: open ? waiting : 'looking',
    checkNow: () => {
      setWaiting('looking')
      void refetch()
    },
  }
}

/** Reporting starts the targeted sync, so a reload or a later visit only reads. */
function look(checkoutId: string, outcome: 'returned' | 'canceled') {
  const reported = `turnpike-returned-${checkoutId}`
  if (sessionStorage.getItem(reported)) return api.getCheckout({ params: { checkoutId } })
  return api.reportReturn({ params: { checkoutId }, body: { outcome } }).then((answer) => {
    sessionStorage.setItem(reported, 'yes')
    return answer
  })
}
