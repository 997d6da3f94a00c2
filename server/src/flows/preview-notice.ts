import { fail } from '../core/errors.ts'
import { findCustomerById } from '../modules/customers/index.ts'
import { definitionOf, isNoticeKind, type NoticeKind, type Rendered } from '../modules/notices/index.ts'
import type { Deps } from './deps.ts'

/** A kind of notice with its example, in the name of a customer when one is given. Nothing is kept or sent. */
export const previewNotice = async (
  deps: Deps,
  request: { kind: string; customerId?: string },
): Promise<Rendered & { kind: NoticeKind }> => {
  if (!isNoticeKind(request.kind)) throw fail('not_found')
  const customer = request.customerId === undefined ? null : await findCustomerById(deps.db, request.customerId)
  if (request.customerId !== undefined && !customer) throw fail('not_found')
  const { example } = definitionOf(request.kind)
  return {
    kind: request.kind,
    ...deps.notices.templates.render(request.kind, example, customer?.name ?? 'Example Ltd.'),
  }
}
