import { TextLink } from './ui/Links.tsx'
import { Page } from './ui/Page.tsx'

/** The same words for what does not exist and for what is somebody else's. */
export function NotFoundPage() {
  return (
    <main>
      <Page title="Not found" lead="Nothing is known under this address.">
        <p>
          <TextLink to="/">Go to the start</TextLink>
        </p>
      </Page>
    </main>
  )
}
