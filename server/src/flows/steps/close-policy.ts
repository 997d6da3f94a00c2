import type { Deps } from '../deps.ts'

/** How long after its end a period is closed, so that the last records arrive. */
export const closeAfter = ({ catalog }: Pick<Deps, 'catalog'>): { minutes: number } => ({
  minutes: catalog().file.policies.billing?.closeAfterMinutes ?? 5,
})

/** What happens to lines whose renewal invoice is finalized already. */
export const withoutDraft = ({ catalog }: Pick<Deps, 'catalog'>): 'own_invoice' | 'next_invoice' =>
  catalog().file.policies.billing?.withoutDraft ?? 'own_invoice'

/** Where goes what a correction gives back of a period that was invoiced. */
export const lateUsage = ({ catalog }: Pick<Deps, 'catalog'>): 'next_invoice' | 'credit_note' =>
  catalog().file.policies.billing?.lateUsage ?? 'next_invoice'
