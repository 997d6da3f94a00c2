import { Button } from '@mantine/core'
import { type ReactNode, useEffect } from 'react'
import { useApi } from './api/api.ts'
import { credential, forgetCredential } from './api/credential.ts'
import { describeProblem } from './api/problem.ts'
import { noteServiceTime } from './api/serviceTime.ts'
import { SessionProvider } from './api/session.tsx'
import { SignInPage } from './SignInPage.tsx'
import { Page } from './ui/Page.tsx'
import { Loading, ProblemNote } from './ui/StateBlock.tsx'

/** Shows its pages to whoever has a credential that the server accepts, and the sign-in page to everybody else. */
export function SignedIn({ children }: { children: ReactNode }) {
  const token = credential()
  const whoami = useApi('whoami', {}, { enabled: token !== null })
  const said = whoami.data?.data.now
  useEffect(() => {
    if (said !== undefined) noteServiceTime(said, whoami.dataUpdatedAt)
  }, [said, whoami.dataUpdatedAt])
  if (token === null) return <SignInPage />
  if (whoami.data) return <SessionProvider whoami={whoami.data.data}>{children}</SessionProvider>
  if (!whoami.error) return <Loading what="your session" lines={1} />
  const problem = describeProblem(whoami.error)
  if (problem.code === 'unauthenticated') return <SignInPage refused />
  return (
    <main>
      <Page title="Not signed in yet">
        <ProblemNote problem={problem} onRetry={() => whoami.refetch()} busy={whoami.isFetching} />
        <div>
          <Button
            variant="default"
            onClick={() => {
              forgetCredential()
              location.reload()
            }}
          >
            Use another credential
          </Button>
        </div>
      </Page>
    </main>
  )
}
