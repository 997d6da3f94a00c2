import { useApi } from '../api/api.ts'
import { Card } from '../ui/Card.tsx'
import { Instant } from '../ui/Instant.tsx'
import { TextLink } from '../ui/Links.tsx'
import { StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import styles from './Overrides.module.css'

/** The last messages to this customer and how their mail went. */
export function CustomerNotices({ tenantId }: { tenantId: string }) {
  const notices = useApi('listNotices', { query: { tenantId, limit: 5 } }, { refetchInterval: 10_000 })
  return (
    <Card
      title="Notices"
      aside={
        <TextLink to="/operator/notices" search={{ tenantId } as never}>
          All of this customer
        </TextLink>
      }
    >
      <StateBlock
        what="the notices"
        reading={notices}
        lines={3}
        empty={({ data }) => (data.length === 0 ? <p className="dim">None was made.</p> : null)}
      >
        {({ data }) => (
          <ul className={styles.list}>
            {data.map((notice) => (
              <li key={notice.id} className={styles.item}>
                <div className="row spread">
                  <TextLink to="/operator/notices" search={{ tenantId, notice: notice.id } as never}>
                    {notice.subject}
                  </TextLink>
                  <StatusTag group="notice" state={notice.state} />
                </div>
                <span className="small dim">
                  <Instant at={notice.createdAt} /> · {notice.to.join(', ') || 'nobody to write to'}
                </span>
              </li>
            ))}
          </ul>
        )}
      </StateBlock>
    </Card>
  )
}
