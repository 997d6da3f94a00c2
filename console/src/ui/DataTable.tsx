import type { ReactNode } from 'react'
import styles from './DataTable.module.css'

export type Column<Row> = {
  title: string
  cell: (row: Row) => ReactNode
  /** Figures stand at the right. */
  figures?: boolean
}

type Props<Row> = {
  caption: string
  columns: Column<Row>[]
  rows: Row[]
  rowKey: (row: Row) => string
  current?: string
}

/** A table that becomes a list of labelled facts where it has no room. The first column names the row. */
export function DataTable<Row>({ caption, columns, rows, rowKey, current }: Props<Row>) {
  return (
    <div className={styles.frame}>
      <table className={styles.table}>
        <caption className="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} scope="col" data-figures={column.figures || undefined}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)} data-current={rowKey(row) === current || undefined}>
              {columns.map((column, place) =>
                place === 0 ? (
                  <th key={column.title} scope="row" data-label={column.title}>
                    <div>{column.cell(row)}</div>
                  </th>
                ) : (
                  <td key={column.title} data-label={column.title} data-figures={column.figures || undefined}>
                    <div>{column.cell(row)}</div>
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
