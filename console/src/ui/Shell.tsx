import { ActionIcon, Button, useMantineColorScheme } from '@mantine/core'
import { IconDeviceDesktop, IconMoon, IconSun } from '@tabler/icons-react'
import { Link, Outlet } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { forgetCredential } from '../api/credential.ts'
import { useSession } from '../api/session.tsx'
import { formatDay } from '../format/dates.ts'
import { useNow } from './Instant.tsx'
import styles from './Shell.module.css'

/** The frame of every signed-in page: skip link, name, navigation, who is signed in. */
export function Shell({ nav, children }: { nav: ReactNode; children?: ReactNode }) {
  const session = useSession()
  const now = useNow()
  // Next to the sandbox time can be moved: then it says which day it is.
  const moved = Math.abs(now - Date.now()) > 3_600_000
  return (
    <>
      <a href="#main" className={styles.skip}>
        Skip to content
      </a>
      <header className={styles.header}>
        <div className={styles.inner}>
          <Link to="/" className={styles.brand}>
            <Mark /> Turnpike
          </Link>
          <nav className={styles.nav} aria-label="Pages">
            {nav}
          </nav>
          <div className={styles.who}>
            {session.demo ? (
              <span className={styles.demo}>Demo{moved ? `, ${formatDay(new Date(now).toISOString())}` : ''}</span>
            ) : null}
            <span className={styles.name}>
              {session.name} · {session.role}
            </span>
            <SchemeSwitch />
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => {
                forgetCredential()
                location.assign('/')
              }}
            >
              Sign out
            </Button>
          </div>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {children ?? <Outlet />}
      </main>
    </>
  )
}

const schemes = {
  auto: { next: 'light', word: 'as the system', icon: IconDeviceDesktop },
  light: { next: 'dark', word: 'light', icon: IconSun },
  dark: { next: 'auto', word: 'dark', icon: IconMoon },
} as const

/** Follows the system until the reader says otherwise; the choice stays in this browser. */
function SchemeSwitch() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const { next, word, icon: Icon } = schemes[colorScheme]
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size={30}
      aria-label={`Colours: ${word}. Change to ${schemes[next].word}`}
      title={`Colours: ${word}`}
      onClick={() => setColorScheme(next)}
    >
      <Icon size={17} aria-hidden />
    </ActionIcon>
  )
}

/** A toll barrier, raised. */
export function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="#1f3a8a" />
      <g transform="rotate(-24 9 20)">
        <rect x="7" y="17" width="22" height="5" rx="1.5" fill="#fff" />
        <path d="M13 17h4l-2 5h-4zM21 17h4l-2 5h-4z" fill="#e8590c" />
      </g>
      <rect x="6" y="16" width="6" height="11" rx="1.5" fill="#fff" />
    </svg>
  )
}

export function NavItem(props: {
  to: string
  search?: Record<string, string | undefined>
  exact?: boolean
  children: ReactNode
}) {
  return (
    <Link
      to={props.to}
      search={props.search ?? {}}
      className={styles.item}
      activeOptions={{ exact: props.exact ?? false, includeSearch: false }}
      activeProps={{ 'aria-current': 'page' }}
    >
      {props.children}
    </Link>
  )
}
