import type { Catalog } from '../modules/catalog/index.ts'
import type { LiveCustomers } from '../modules/entitlements/index.ts'
import type { NoticeKind, NoticeTemplates } from '../modules/notices/index.ts'
import type { PaymentProvider } from '../modules/payments/index.ts'
import type { Clock } from '../platform/clock.ts'
import type { Db } from '../platform/db.ts'
import type { Log } from '../platform/log.ts'
import type { MailAddress, Mailer } from '../platform/mailer.ts'
import type { Seal } from '../platform/seal.ts'

/** What flows work with. Built once, in the composition root. */
export type Deps = {
  db: Db
  clock: Clock
  log: Log
  /** The catalog in force; replaced as a whole when another one is applied. */
  catalog(): Catalog
  provider: PaymentProvider
  live: LiveCustomers
  /** The number under which other processes see this one: who holds a lease. */
  presence: number
  /** Origins that customers may be sent back to (PAY-1). */
  returnOrigins: readonly string[]
  /** Address of this service as customers see it. */
  publicUrl: string
  seal: Seal
  notices: {
    templates: NoticeTemplates
    /** Null: notices are kept and shown, but not mailed. */
    mailer: Mailer | null
    from: MailAddress
    /** Kinds that the host product does not want. */
    off: readonly NoticeKind[]
    /** Who is written to about what the house must do. */
    operators: string[]
  }
}
