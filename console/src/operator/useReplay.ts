import type { WebhookReplay, WebhookReplayResult } from '@turnpike/contract'
import { useEffect, useRef, useState } from 'react'
import { api, queryClient } from '../api/api.ts'

type Step = 'idle' | 'counting' | 'counted' | 'replaying' | 'done' | 'failed'

/** So many at once, so that the progress moves and a break loses little. */
const part = 500

/** Counts, then replays part by part; after a break it goes on where it ended. */
export function useReplay() {
  const [step, setStep] = useState<Step>('idle')
  const [counted, setCounted] = useState<WebhookReplayResult | null>(null)
  const [asked, setAsked] = useState(0)
  const [error, setError] = useState<unknown>(null)
  const cursor = useRef<string | null>(null)
  // Leaving the page ends the work after the part under way: each part is complete in itself.
  const here = useRef(true)
  useEffect(() => {
    here.current = true
    return () => {
      here.current = false
    }
  }, [])

  const forget = () => {
    setStep('idle')
    setCounted(null)
    setError(null)
    setAsked(0)
    cursor.current = null
  }

  const count = async (wish: WebhookReplay) => {
    forget()
    setStep('counting')
    try {
      const { data } = await api.replayWebhooks({ body: { ...wish, dryRun: true } })
      setCounted(data)
      setStep('counted')
    } catch (failure) {
      setError(failure)
      setStep('idle')
    }
  }

  const goOn = async (wish: WebhookReplay) => {
    setStep('replaying')
    setError(null)
    try {
      do {
        const { data } = await api.replayWebhooks({
          body: { ...wish, limit: part, ...(cursor.current ? { cursor: cursor.current } : {}) },
        })
        cursor.current = data.cursor
        setAsked((before) => before + data.total)
      } while (cursor.current !== null && here.current)
      setStep('done')
    } catch (failure) {
      setError(failure)
      setStep('failed')
    }
    void queryClient.invalidateQueries()
  }

  return { step, counted, asked, error, count, start: goOn, goOn, forget }
}
