import type { Checkout } from '@turnpike/contract'
import { formatInstant } from '../format/dates.ts'
import type { Tone } from '../format/words.ts'

/** What the state of a checkout means to the person who came back from paying. */
export function checkoutWords(checkout: Checkout, longWait: boolean): { title: string; text: string; tone: Tone } {
  const what = checkout.plan?.name ?? checkout.product ?? 'Your purchase'
  switch (checkout.state) {
    case 'opening':
    case 'pending_sync':
      return longWait
        ? {
            title: 'Still waiting for confirmation',
            text: 'The payment provider has not confirmed yet. You can close this page: what you bought is switched on as soon as the confirmation is here. Do not pay again.',
            tone: 'warning',
          }
        : {
            title: 'Confirming your payment',
            text: 'Waiting for the payment provider. This usually takes a few seconds; the page looks again by itself.',
            tone: 'info',
          }
    case 'completed':
      return {
        title:
          checkout.kind === 'plan_change'
            ? `You are now on ${what}`
            : checkout.kind === 'purchase'
              ? `${what} is yours`
              : `${what} is on`,
        text: checkout.completedAt ? `Confirmed on ${formatInstant(checkout.completedAt)}.` : 'Confirmed.',
        tone: 'ok',
      }
    case 'open':
      return {
        title: 'You left before paying',
        text: `Nothing was charged.${checkout.expiresAt ? ` The checkout stays open until ${formatInstant(checkout.expiresAt)}.` : ''}`,
        tone: 'neutral',
      }
    case 'failed':
      return {
        title: 'The payment did not go through',
        text: 'Nothing was charged. Your selection is kept: try again, or use another payment method.',
        tone: 'danger',
      }
    case 'canceled':
      return { title: 'The checkout was canceled', text: 'Nothing was charged.', tone: 'neutral' }
    case 'expired':
      return {
        title: 'This checkout has ended',
        text: 'It was open too long. Nothing was charged, and you can start again with the same selection.',
        tone: 'neutral',
      }
  }
}
