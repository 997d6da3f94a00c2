import { Button, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { keepCredential } from './api/credential.ts'
import styles from './SignInPage.module.css'
import { Mark } from './ui/Shell.tsx'
import { useDocumentTitle } from './ui/useDocumentTitle.ts'

/** Takes a pasted credential; links that carry one in their fragment never get here. */
export function SignInPage({ refused }: { refused?: boolean }) {
  const [token, setToken] = useState('')
  const [missing, setMissing] = useState(false)
  useDocumentTitle('Sign in')

  const signIn = (event: FormEvent) => {
    event.preventDefault()
    if (token.trim() === '') return setMissing(true)
    keepCredential(token)
    location.reload()
  }

  return (
    <main className={styles.page}>
      <form className={styles.card} onSubmit={signIn} noValidate>
        <Mark />
        <h1>Sign in</h1>
        <p className="dim">
          Open the link that the product gave you, or paste an API key. It stays in this tab and is forgotten when the
          tab is closed.
        </p>
        <TextInput
          label="API key or token"
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
          error={
            missing
              ? 'Paste the key first.'
              : refused
                ? 'The key was not accepted: it is unknown, expired or revoked.'
                : undefined
          }
          type="password"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          size="md"
        />
        <Button type="submit" size="md">
          Sign in
        </Button>
      </form>
    </main>
  )
}
