export { type ReadRow, readRows } from './read-rows.ts'
export {
  findImport,
  findSameImport,
  type ImportRecord,
  insertImport,
  listImports,
  lockImport,
  saveProgress,
} from './store.ts'
