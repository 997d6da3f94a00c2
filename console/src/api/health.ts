import { useQuery } from '@tanstack/react-query'

type ProviderState = { circuit: 'closed' | 'half_open' | 'open'; retryAfterSeconds: number | null }

/** Whether the payment provider is asked at the moment, as the service's own health page tells it. */
export function useProviderState() {
  return useQuery({ queryKey: ['health'], queryFn: readProviderState, refetchInterval: 5_000 })
}

// Not ready is an answer too: only what makes no sense is a failure.
async function readProviderState(): Promise<ProviderState> {
  const answer = await fetch('/health', { headers: { accept: 'application/json' } })
  const { parts } = (await answer.json()) as { parts?: { provider?: Partial<ProviderState> } }
  const { circuit, retryAfterSeconds = null } = parts?.provider ?? {}
  if (circuit !== 'closed' && circuit !== 'half_open' && circuit !== 'open') throw new Error('health says nothing')
  return { circuit, retryAfterSeconds }
}
