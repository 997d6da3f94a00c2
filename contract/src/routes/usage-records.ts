import { Type } from 'typebox'
import { type RouteDefinition, route } from '../route.ts'
import { HistoryQuery, UsageHistory } from '../schemas/usage-history.ts'
import {
  ArchivePartQuery,
  ArchiveQuery,
  CorrectionAnswer,
  NewCorrection,
  RecordedUsage,
  RecordQuery,
  UsageArchive,
  UsageArchivePart,
} from '../schemas/usage-record.ts'

/** Single records, their corrections, and usage over time (USE-2, USE-6). */
export const usageRecordRoutes = {
  listUsageRecords: route({
    method: 'GET',
    path: '/usage-records',
    summary: 'Records as they were kept, by the time of use, with what corrected them',
    tag: 'Usage',
    permission: 'billing:usage:read',
    tenancy: 'tenant',
    kind: 'list',
    query: RecordQuery,
    response: Type.Array(RecordedUsage),
  }),

  correctUsage: route({
    method: 'POST',
    path: '/usage-records/corrections',
    summary: 'Take a record back, or set its quantity',
    description:
      'The record stays as it was reported; a correction is a record of its own with the signed difference, in the same windows. No limit refuses it. The same key makes it once.',
    tag: 'Usage',
    permission: 'billing:usage:correct',
    tenancy: 'tenant',
    body: NewCorrection,
    response: CorrectionAnswer,
    problems: ['usage_record_unknown', 'quantity_invalid', 'idempotency_key_reused', 'correction_invalid'],
  }),

  listUsageArchives: route({
    method: 'GET',
    path: '/usage-archives',
    summary: 'Archives of raw records of long ago, by meter and window',
    tag: 'Usage',
    permission: 'billing:usage:read',
    tenancy: 'tenant',
    kind: 'list',
    query: ArchiveQuery,
    response: Type.Array(UsageArchive),
  }),

  getUsageArchive: route({
    method: 'GET',
    path: '/usage-archives/part',
    summary: 'The records of one archive',
    tag: 'Usage',
    permission: 'billing:usage:read',
    tenancy: 'tenant',
    query: ArchivePartQuery,
    response: UsageArchivePart,
  }),

  getUsageHistory: route({
    method: 'GET',
    path: '/usage/history',
    summary: 'What a meter counted by hour or by day, with hints about what is unusual',
    description:
      'Days begin at midnight of the customer’s time zone; each hour counts for the day in which it begins. Hours are kept for 400 days. A level begins with what it was before the first step. A grouped history reads the records themselves, of at most 31 days, and only of meters that add up: sums, and counts that are not derived.',
    tag: 'Usage',
    permission: 'billing:usage:read',
    tenancy: 'tenant',
    query: HistoryQuery,
    response: UsageHistory,
    problems: ['meter_unknown', 'group_by_no_sum'],
  }),
} as const satisfies Record<string, RouteDefinition>
