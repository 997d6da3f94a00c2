import type { AuthenticationView } from '../engine/hosted.ts'
import { money } from './format.ts'
import { type Content, html } from './html.ts'

// Stands for the page of the card's bank. The ids of the two buttons are those of the real test page.
export function bankPage(view: Extract<AuthenticationView, { state: 'pending' }>): Content {
  return html`<main class="sheet bank">
  <p class="soft">3-D Secure · your bank, in the sandbox</p>
  <h1>Is this you?</h1>
  <p>${view.merchantName} asks your bank to confirm that you are the owner of the card.</p>
  <dl class="facts">
    <div><dt>Merchant</dt><dd>${view.merchantName}</dd></div>
    <div><dt>Amount</dt><dd>${view.amount === 0 ? 'Nothing is charged' : money(view.amount, view.currency)}</dd></div>
    <div><dt>Card</dt><dd>ending in ${view.cardLast4}</dd></div>
  </dl>
  <form method="post" class="actions">
    <button type="submit" class="button primary" name="outcome" value="approve" id="test-source-authorize-3ds">Complete</button>
    <button type="submit" class="button" name="outcome" value="fail" id="test-source-fail-3ds">Fail</button>
  </form>
  <p class="hint">Complete plays the customer who confirms. Fail plays one who does not, or an attempt with a stolen card.</p>
</main>`
}
