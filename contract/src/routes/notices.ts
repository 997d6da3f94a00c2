import { Type } from 'typebox'
import { type RouteDefinition, route } from '../route.ts'
import { TenantQuery } from '../schemas/common.ts'
import {
  CurrentNotice,
  Notice,
  NoticeDetail,
  NoticeParams,
  NoticePreview,
  NoticePreviewRequest,
  NoticeQuery,
  NoticeTemplate,
} from '../schemas/notice.ts'

/** Messages to customers. */
export const noticesRoutes = {
  listNotices: route({
    method: 'GET',
    path: '/notices',
    summary: 'Messages to customers and how their mail went, newest first',
    tag: 'Notices',
    permission: 'billing:notices:read',
    tenancy: 'tenant_or_house',
    kind: 'list',
    query: NoticeQuery,
    response: Type.Array(Notice),
  }),

  listNoticeTemplates: route({
    method: 'GET',
    path: '/notices/templates',
    summary: 'Every kind of notice: when, to whom, and its subject',
    tag: 'Notices',
    permission: 'billing:notices:preview',
    tenancy: 'house',
    response: Type.Array(NoticeTemplate),
  }),

  previewNotice: route({
    method: 'POST',
    path: '/notices/preview',
    summary: 'A kind of notice with example data; nothing is kept or sent',
    tag: 'Notices',
    permission: 'billing:notices:preview',
    tenancy: 'house',
    body: NoticePreviewRequest,
    response: NoticePreview,
  }),

  getNotice: route({
    method: 'GET',
    path: '/notices/{noticeId}',
    summary: 'One notice with its text and HTML',
    tag: 'Notices',
    permission: 'billing:notices:read',
    tenancy: 'object',
    params: NoticeParams,
    response: NoticeDetail,
  }),

  resendNotice: route({
    method: 'POST',
    path: '/notices/{noticeId}/resend',
    summary: 'Mail a notice again, to the address of today',
    tag: 'Notices',
    permission: 'billing:notices:send',
    tenancy: 'object',
    params: NoticeParams,
    status: 202,
    response: Notice,
    problems: ['mail_not_configured', 'notice_without_address'],
  }),

  listCurrentNotices: route({
    method: 'GET',
    path: '/billing/notices',
    summary: 'The messages of now, in the words that were mailed',
    tag: 'Billing',
    permission: 'billing:notices:read',
    tenancy: 'tenant',
    query: TenantQuery,
    response: Type.Array(CurrentNotice),
  }),
} as const satisfies Record<string, RouteDefinition>
