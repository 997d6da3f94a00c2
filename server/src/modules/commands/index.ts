export { type CommandRecord, type Decision, isSafeLater, type Terms, type Wish } from './command.ts'
export { decide, decideNew } from './decide.ts'
export {
  findCommand,
  findCommandDone,
  findCommandUnderWay,
  findEndedPauses,
  findPauseEnd,
  findWaitingCommands,
  forgetPauseEnds,
  insertCommand,
  saveCommand,
} from './store.ts'
export { tookEffect } from './took-effect.ts'
