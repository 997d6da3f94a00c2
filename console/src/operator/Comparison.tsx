import styles from './FindingDetail.module.css'

type Side = Record<string, unknown> | null

/** Two records side by side, with the fields that differ marked in words and colour, and first. */
export function Comparison({ here, there }: { here: Side; there: Side }) {
  const names = [...new Set([...Object.keys(here ?? {}), ...Object.keys(there ?? {})])]
  const fields = names
    .map((name) => {
      const [ours, theirs] = [textOf(here?.[name]), textOf(there?.[name])]
      return { name, ours, theirs, differs: ours !== theirs }
    })
    .sort((a, b) => Number(b.differs) - Number(a.differs))
  if (fields.length === 0) return <p className="dim">Neither side has a record of it.</p>
  return (
    <table className={styles.table}>
      <caption className="hidden">Here and at the provider</caption>
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col">Here</th>
          <th scope="col">At the provider</th>
        </tr>
      </thead>
      <tbody>
        {fields.map(({ name, ours, theirs, differs }) => (
          <tr key={name} data-differs={differs || undefined}>
            <th scope="row">
              {name.replaceAll('_', ' ')}
              {differs ? <span className="hidden"> (differs)</span> : null}
            </th>
            <td>{here === null ? <span className="dim">no record</span> : ours}</td>
            <td>{there === null ? <span className="dim">no record</span> : theirs}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '–'
  return typeof value === 'string' ? value : JSON.stringify(value)
}
