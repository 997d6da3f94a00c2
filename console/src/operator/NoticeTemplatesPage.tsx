import type { NoticeTemplate } from '@turnpike/contract'
import { useApi } from '../api/api.ts'
import { useView } from '../search.ts'
import { Card } from '../ui/Card.tsx'
import { ButtonLink, TextLink } from '../ui/Links.tsx'
import { Page } from '../ui/Page.tsx'
import { Empty, StateBlock } from '../ui/StateBlock.tsx'
import { StatusTag } from '../ui/StatusTag.tsx'
import { MessagePreview } from './MessagePreview.tsx'
import styles from './NoticeTemplatesPage.module.css'

/** Every kind of message with when and to whom, and its words with example data (DUN-2). */
export function NoticeTemplatesPage() {
  const [view] = useView()
  const templates = useApi('listNoticeTemplates', {})
  const kind = view.kind ?? templates.data?.data[0]?.kind
  return (
    <Page
      title="Templates"
      documentTitle="Templates · Notices"
      lead="Example data only: nothing is kept or sent by looking."
      wide
      aside={
        <ButtonLink to="/operator/notices" variant="default">
          All notices
        </ButtonLink>
      }
    >
      <StateBlock
        what="the templates"
        reading={templates}
        lines={12}
        empty={({ data }) => (data.length === 0 ? <Empty title="There are no kinds of notices" /> : null)}
      >
        {({ data }) => (
          <div className={styles.gallery}>
            <ul className={styles.list}>
              {data.map((template) => (
                <Template key={template.kind} template={template} chosen={template.kind === kind} />
              ))}
            </ul>
            <div className={styles.preview}>{kind ? <Preview key={kind} kind={kind} /> : null}</div>
          </div>
        )}
      </StateBlock>
    </Page>
  )
}

const recipients = {
  billing: 'to the billing address',
  owners: 'to every billing owner',
  operators: 'to the house',
  address: 'to one address',
}

function Template({ template, chosen }: { template: NoticeTemplate; chosen: boolean }) {
  return (
    <li className={styles.item} data-chosen={chosen || undefined}>
      <div className={styles.head}>
        <TextLink
          to="/operator/notices/templates"
          search={{ kind: template.kind }}
          resetScroll={false}
          aria-current={chosen ? 'true' : undefined}
        >
          {template.subject}
        </TextLink>
        <StatusTag group="severity" state={template.severity} />
      </div>
      <p className="small dim">
        <code>{template.kind}</code> · {template.when} · {recipients[template.to]}
        {template.off ? ' · switched off' : ''}
      </p>
    </li>
  )
}

function Preview({ kind }: { kind: string }) {
  const preview = useApi('previewNotice', { body: { kind } })
  return (
    <StateBlock what="the preview" reading={preview} lines={12}>
      {({ data }) => (
        <Card title={data.subject}>
          <MessagePreview subject={data.subject} html={data.html} text={data.text} />
          <p className="small dim">
            Its button leads to <code>{data.link}</code>
          </p>
        </Card>
      )}
    </StateBlock>
  )
}
