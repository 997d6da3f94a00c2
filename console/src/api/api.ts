import { QueryClient, useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query'
import { type Client, createClient } from '@turnpike/client'
import { credential } from './credential.ts'

export const api = createClient({ baseUrl: '', credential: () => credential() ?? '' })

type Name = Exclude<keyof Client, 'call' | 'paginate' | 'streamEvents'>
type ListName =
  | 'listCustomers'
  | 'getTimeline'
  | 'listWebhooks'
  | 'listAudit'
  | 'listNotices'
  | 'listInvoices'
  | 'listDecisions'
  | 'listFindings'
  | 'listReconciliations'
  | 'listCreditGrants'
  | 'listLedgerEntries'
  | 'listPurchases'
  | 'listUsagePeriods'
  | 'listUsageRecords'
export type InputOf<N extends Name> = NonNullable<Parameters<Client[N]>[0]>
export type AnswerOf<N extends Name> = Awaited<ReturnType<Client[N]>>

export const queryClient = new QueryClient({
  // The client repeats by itself what may go better the second time.
  defaultOptions: { queries: { staleTime: 2_000, retry: false } },
})

type Timing = { enabled?: boolean; refetchInterval?: number | false }

/** Reads one route; the cache key is its name and input. */
export function useApi<N extends Name>(name: N, input: InputOf<N>, timing: Timing = {}) {
  return useQuery({ queryKey: [name, input], queryFn: () => send(name, input), ...timing })
}

/** Reads a list route page by page. */
export function useApiPages<N extends ListName>(name: N, input: InputOf<N>, timing: Timing = {}) {
  return useInfiniteQuery({
    queryKey: [name, input, 'pages'],
    queryFn: ({ pageParam }) =>
      send(name, { ...input, query: { ...input.query, ...(pageParam ? { cursor: pageParam } : {}) } }),
    initialPageParam: null as string | null,
    getNextPageParam: (last: AnswerOf<N>) => last.meta.cursor ?? null,
    ...timing,
  })
}

/** Calls a route that changes something; afterwards everything on the page is read again. */
export function useApiChange<N extends Name>(name: N) {
  return useMutation({
    mutationFn: (input: InputOf<N>) => send(name, input),
    onSuccess: () => void queryClient.invalidateQueries(),
  })
}

// The one place where a name that is only known as a type parameter meets its method.
const send = <N extends Name>(name: N, input: InputOf<N>): Promise<AnswerOf<N>> =>
  (api[name] as (input: InputOf<N>) => Promise<AnswerOf<N>>)(input)
