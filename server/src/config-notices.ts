import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { addressOf, isMailAddress, isNoticeKind, type NoticeKind } from './modules/notices/index.ts'
import type { MailAddress, SmtpSettings } from './platform/mailer.ts'

/** How customers are written to. Without a mail server notices are kept and shown, but not mailed. */
export type NoticeSettings = {
  smtp: SmtpSettings | null
  from: MailAddress
  brand: string
  locale: string
  timeZone: string
  /** Where the templates are. */
  folder: string
  off: NoticeKind[]
  operators: string[]
}

/** The readers that `readConfig` offers. */
type Reading = {
  text(variable: string): string | null
  whole(variable: string, fallback: number, min: number, max: number, example: string): number
  wrong(variable: string, what: string, example: string): void
}

const ourTemplates = fileURLToPath(new URL('../notices', import.meta.url))
const listOf = (text: string | null): string[] =>
  (text ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')

/** Reads everything about notices; every mistake is told. */
export const readNoticeSettings = ({ text, whole, wrong }: Reading): NoticeSettings => {
  const timeoutMs = whole('SMTP_TIMEOUT_SECONDS', 30, 1, 300, '30') * 1_000
  const smtpUrl = text('SMTP_URL')
  const smtp = smtpUrl === null ? null : smtpOf(smtpUrl, timeoutMs)
  if (typeof smtp === 'string') wrong('SMTP_URL', smtp, 'smtp://user:password@mail.example.com:587')
  const fromText = text('NOTICES_FROM')
  const from = addressOf(fromText ?? 'billing@localhost')
  if (fromText === null && smtpUrl !== null)
    wrong('NOTICES_FROM', 'is not set, but a mail server is', '"Acme Billing <billing@acme.example>"')
  if (from === null) wrong('NOTICES_FROM', 'is no address', '"Acme Billing <billing@acme.example>"')
  const locale = text('NOTICES_LOCALE') ?? 'en-US'
  if (!isLocale(locale)) wrong('NOTICES_LOCALE', 'is no language tag', 'en-US')
  const timeZone = text('NOTICES_TIME_ZONE') ?? 'UTC'
  if (!isTimeZone(timeZone)) wrong('NOTICES_TIME_ZONE', 'is no time zone', 'Europe/Berlin')
  const folder = text('NOTICES_DIR') ?? ourTemplates
  if (!existsSync(folder)) wrong('NOTICES_DIR', 'names a folder that does not exist', './notices')
  const off = listOf(text('NOTICES_OFF'))
  for (const kind of off)
    if (!isNoticeKind(kind)) wrong('NOTICES_OFF', `has ${JSON.stringify(kind)}, which is no kind of notice`, 'receipt')
  const operators = listOf(text('NOTICES_OPERATORS'))
  for (const address of operators)
    if (!isMailAddress(address))
      wrong('NOTICES_OPERATORS', `has ${JSON.stringify(address)}, which is no address`, 'billing-team@acme.example')
  return {
    smtp: typeof smtp === 'string' ? null : smtp,
    from: from ?? { name: '', address: 'billing@localhost' },
    brand: text('NOTICES_BRAND') ?? (from?.name || 'Billing'),
    locale,
    timeZone,
    folder,
    off: off.filter(isNoticeKind),
    operators,
  }
}

const onThisMachine = new Set(['localhost', '127.0.0.1', '[::1]'])

/** The settings, or what is wrong. TLS is asked for everywhere but on this machine; `?tls=` says otherwise. */
const smtpOf = (text: string, timeoutMs: number): SmtpSettings | string => {
  if (!URL.canParse(text)) return 'is no URL'
  const url = new URL(text)
  if (url.protocol !== 'smtp:' && url.protocol !== 'smtps:') return 'is not a URL with smtp: or smtps:'
  if (url.hostname === '') return 'names no host'
  const asked = url.searchParams.get('tls')
  if ([...url.searchParams.keys()].some((name) => name !== 'tls')) return 'has a parameter other than tls'
  if (asked !== null && asked !== 'required' && asked !== 'if_offered' && asked !== 'never')
    return 'has a tls that is none of required, if_offered, never'
  if (asked !== null && url.protocol === 'smtps:') return 'asks for TLS from the first byte, so tls says nothing'
  const isSecure = url.protocol === 'smtps:'
  try {
    return {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? (isSecure ? 465 : 587) : Number(url.port),
      tls: isSecure ? 'always' : (asked ?? (onThisMachine.has(url.hostname) ? 'if_offered' : 'required')),
      login:
        url.username === ''
          ? null
          : { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) },
      timeoutMs,
    }
  } catch {
    return 'has a user or password that is not written as in a URL'
  }
}

const isLocale = (text: string): boolean => {
  try {
    return Intl.getCanonicalLocales(text).length === 1
  } catch {
    return false
  }
}

const isTimeZone = (text: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }) !== null
  } catch {
    return false
  }
}
