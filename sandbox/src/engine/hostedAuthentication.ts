import type {
  Authentication,
  CheckoutSession,
  Invoice,
  PaymentIntent,
  PaymentMethod,
  SetupIntent,
  Stored,
} from '../objects/types.ts'
import { find, load, save, transact } from '../store/transact.ts'
import type { World } from '../world.ts'
import type { Submission } from './checkout.ts'
import { settleIntent } from './collect.ts'
import { replaceCard } from './defaultCard.ts'
import { merchantName } from './draftInvoice.ts'
import type { AuthenticationView } from './hosted.ts'
import { resumeCheckout } from './hostedCheckout.ts'
import { confirmIntent, confirmSetup } from './payment.ts'

export function viewAuthentication(world: World, authenticationId: string): AuthenticationView {
  return transact(world, null, (tx): AuthenticationView => {
    const authentication = find<Authentication>(tx, authenticationId)
    if (authentication?.object !== 'authentication') return { state: 'not_found' }
    if (authentication.state !== 'pending') return { state: 'done', redirectUrl: doneUrl(world, authentication) }
    const subject = load<Stored>(tx, authentication.intent)
    const submission = authentication._?.submission as Submission | undefined
    const methodId = submission?.method ?? (subject.payment_method as string | null)
    const method = methodId ? find<PaymentMethod>(tx, methodId) : undefined
    return {
      state: 'pending',
      merchantName,
      amount: ((subject as CheckoutSession).amount_total ?? (subject as PaymentIntent).amount ?? 0) as number,
      currency: (subject.currency as string | undefined) ?? 'usd',
      cardLast4: method?.card?.last4 ?? '0000',
    }
  })
}

/** Ends the bank's challenge; a second answer returns the first outcome's address. */
export async function completeAuthentication(
  world: World,
  authenticationId: string,
  outcome: 'approve' | 'fail',
): Promise<{ redirectUrl: string }> {
  const answer = outcome === 'approve' ? 'approved' : 'failed'
  const first = transact(world, null, (tx) => {
    const authentication = find<Authentication>(tx, authenticationId)
    if (authentication?.object !== 'authentication' || authentication.state !== 'pending') return null
    authentication.state = answer
    return save(tx, authentication)
  })
  if (!first) {
    const known = transact(world, null, (tx) => find<Authentication>(tx, authenticationId))
    return { redirectUrl: known ? doneUrl(world, known) : world.url }
  }
  if (first.session) return resumeCheckout(world, first, answer)
  return transact(world, null, (tx) => {
    const intent = load<PaymentIntent | SetupIntent>(tx, first.intent)
    const method = load<PaymentMethod>(tx, intent.payment_method!)
    const asked = { method, offSession: false, authentication: answer } as const
    if (intent.object === 'payment_intent') settleIntent(tx, intent, confirmIntent(tx, intent, asked))
    else if (
      confirmSetup(tx, intent, asked).kind === 'succeeded' &&
      intent.metadata.portal === 'true' &&
      intent.customer
    )
      replaceCard(tx, intent.customer, method.id)
    return { redirectUrl: doneUrl(world, first) }
  })
}

// Without an address of its own an invoice's payment leads back to the invoice.
function doneUrl(world: World, authentication: Authentication): string {
  if (authentication.state === 'failed' && authentication.failureUrl) return authentication.failureUrl
  if (authentication.returnUrl) return authentication.returnUrl
  const read = <T>(id: string): T | null => {
    const row = world.store.find(id)
    return row ? (JSON.parse(row.body) as T) : null
  }
  if (authentication.session) {
    const session = read<CheckoutSession>(authentication.session)
    const back = session?.status === 'complete' ? session.success_url : null
    return (
      back?.replaceAll('{CHECKOUT_SESSION_ID}', authentication.session) ??
      `${world.url}/c/pay/${authentication.session}`
    )
  }
  const intent = read<PaymentIntent>(authentication.intent)
  const invoice = intent?._?.invoice ? read<Invoice>(intent._.invoice) : null
  return invoice ? `${world.url}/i/${invoice._.token}` : world.url
}
