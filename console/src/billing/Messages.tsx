import { Button } from '@mantine/core'
import type { CurrentNotice } from '@turnpike/contract'
import { useApi } from '../api/api.ts'
import { useMay } from '../api/session.tsx'
import type { Tone } from '../format/words.ts'
import { Card } from '../ui/Card.tsx'
import { Instant } from '../ui/Instant.tsx'
import { ButtonLink } from '../ui/Links.tsx'
import { Empty, StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { httpAddress } from './httpAddress.ts'
import styles from './Messages.module.css'
import { useTenant } from './useTenant.ts'

/** The messages of now, in the words that were mailed (DUN-2). */
export function Messages() {
  const tenant = useTenant()
  const may = useMay('billing:notices:read')
  const notices = useApi('listCurrentNotices', { query: tenant }, { enabled: may, refetchInterval: 30_000 })
  if (!may) return null
  return (
    <Card title="Messages">
      <StateBlock
        what="messages"
        reading={notices}
        lines={3}
        empty={({ data }) =>
          data.length === 0 ? (
            <Empty title="No messages">
              What we write to you about billing is shown here too, for as long as it is true.
            </Empty>
          ) : null
        }
      >
        {({ data }) => (
          <ul className={styles.list}>
            {data.map((notice) => (
              <li key={notice.id}>
                <Message notice={notice} />
              </li>
            ))}
          </ul>
        )}
      </StateBlock>
    </Card>
  )
}

const tones: Record<CurrentNotice['severity'], Tone> = { info: 'info', warning: 'warning', critical: 'danger' }

function Message({ notice }: { notice: CurrentNotice }) {
  return (
    <details className={styles.message} data-tone={tones[notice.severity]}>
      <summary>
        <StatusTag group="message" state={notice.severity} />
        <span className={styles.subject}>{notice.subject}</span>
        <span className="small dim">
          <Instant at={notice.createdAt} show="day" />
        </span>
      </summary>
      <div className={styles.text}>{notice.text.trim()}</div>
      <MessageLink link={notice.link} />
    </details>
  )
}

/** Pages of ours open here, everything else where it is. */
function MessageLink({ link }: { link: string | null }) {
  const tenant = useTenant()
  const address = httpAddress(link)
  if (!address) return null
  const { origin, pathname } = new URL(address)
  if (origin !== location.origin)
    return (
      <Button component="a" href={address} size="compact-md" variant="default">
        Open
      </Button>
    )
  if (pathname === '/billing') return null
  return (
    <ButtonLink to={pathname} search={tenant} size="compact-md" variant="default">
      Go there
    </ButtonLink>
  )
}
