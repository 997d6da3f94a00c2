export { currentNotices } from './current.ts'
export { definitionOf, isNoticeKind, type NoticeKind, noticeKindNames } from './kinds.ts'
export { addressOf, isMailAddress, mailOf, messageIdOf } from './message.ts'
export { nextAttempt } from './next-attempt.ts'
export { isDecided, type Names, type NoticeDraft, noticesOf } from './notices-of.ts'
export { loadTemplates, type NoticeTemplates, type Rendered } from './render.ts'
export {
  claimNotice,
  findNotice,
  finishAttempt,
  insertNotices,
  listNotices,
  lockNotice,
  moveCursor,
  type NoticeRecord,
  queueCopy,
  takeCursor,
} from './store.ts'
