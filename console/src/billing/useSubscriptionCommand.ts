import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query'
import type { BodyOf, CommandPreview, CommandResult, Routes } from '@turnpike/contract'
import { api, queryClient } from '../api/api.ts'
import { describeProblem } from '../api/problem.ts'
import { endIntent, holdIntent } from './intent.ts'
import { useTenant } from './useTenant.ts'

type Selection = Omit<BodyOf<Routes['previewNewSubscription']>, 'tenantId'>
export type Wish = BodyOf<Routes['previewSubscription']> | ({ action: 'create' } & Selection)

/** What a wish would cost, change and take away. Asked again only when somebody asks: amounts do not move by themselves. */
export function usePreview(subscriptionId: string | null, wish: Wish | null) {
  const tenant = useTenant()
  return useQuery({
    queryKey: ['preview', subscriptionId, tenant, wish],
    queryFn: () => preview(subscriptionId, tenant, wish!),
    enabled: wish !== null,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    placeholderData: keepPreviousData,
  })
}

/** Carries a wish out as it was shown. A repeat goes on with the same command until an answer has ended it. */
export function useApply(subscriptionId: string | null, wish: Wish | null) {
  const tenant = useTenant()
  const name = JSON.stringify([subscriptionId, tenant, wish])
  return useMutation({
    mutationFn: async (shown: CommandPreview): Promise<CommandResult> => {
      const intent = holdIntent(name, { ...wish!, previewToken: shown.previewToken })
      try {
        const { data } = await apply(subscriptionId, tenant, intent.body, intent.key)
        endIntent(name)
        return data
      } catch (error) {
        if (describeProblem(error).retry !== 'later') endIntent(name)
        throw error
      }
    },
    onSuccess: () => everythingElse(),
    // A payment that failed, or a silence, may have changed what the other pages show.
    onError: () => everythingElse(),
  })
}

const everythingElse = () =>
  void queryClient.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'preview' })

type Tenant = { tenantId?: string }
// The provider is asked twice before an answer: what is on file, then the change itself.
const patience = { timeoutMs: 45_000 }

async function preview(subscriptionId: string | null, tenant: Tenant, wish: Wish): Promise<CommandPreview> {
  if (wish.action === 'create') {
    const { action: _, ...selection } = wish
    return (await api.previewNewSubscription({ body: { ...tenant, ...selection }, ...patience })).data
  }
  return (await api.previewSubscription({ params: { subscriptionId: subscriptionId ?? '' }, body: wish, ...patience }))
    .data
}

function apply(subscriptionId: string | null, tenant: Tenant, wish: Wish & { previewToken: string }, key: string) {
  const how = { idempotencyKey: key, ...patience }
  if (wish.action === 'create') {
    const { action: _, ...selection } = wish
    return api.createSubscription({ body: { ...tenant, ...selection }, ...how })
  }
  return api.commandSubscription({ params: { subscriptionId: subscriptionId ?? '' }, body: wish, ...how })
}
