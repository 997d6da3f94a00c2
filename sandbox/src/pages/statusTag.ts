import { type Content, html } from './html.ts'

type Tone = 'neutral' | 'info' | 'ok' | 'warning' | 'danger'

// One map for all pages: a word, and a tone whose mark has its own shape.
const tags: Readonly<Record<string, readonly [word: string, tone: Tone]>> = {
  active: ['Active', 'ok'],
  trialing: ['Trial', 'info'],
  past_due: ['Past due', 'warning'],
  unpaid: ['Unpaid', 'danger'],
  incomplete: ['Incomplete', 'warning'],
  incomplete_expired: ['Expired', 'neutral'],
  canceled: ['Canceled', 'neutral'],
  paused: ['Paused', 'neutral'],
  draft: ['Draft', 'neutral'],
  open: ['Open', 'warning'],
  paid: ['Paid', 'ok'],
  void: ['Void', 'neutral'],
  uncollectible: ['Uncollectible', 'danger'],
  pending: ['Pending', 'info'],
  held: ['Held back', 'warning'],
  delivered: ['Delivered', 'ok'],
  failed: ['Failed', 'danger'],
  dropped: ['Dropped', 'neutral'],
}

export function statusTag(status: string, ending = false): Content {
  const [word, tone] = ending ? (['Ends soon', 'warning'] as const) : (tags[status] ?? [status, 'neutral'])
  return html`<span class="tag ${tone}">${word}</span>`
}
