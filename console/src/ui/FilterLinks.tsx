import { Link } from '@tanstack/react-router'
import { useView } from '../search.ts'
import styles from './FilterLinks.module.css'

type Option = { value: string | undefined; label: string; count?: number | undefined }

/** One filter as links, so that every filtered view has an address. */
export function FilterLinks({ label, param, options }: { label: string; param: string; options: Option[] }) {
  const [view] = useView()
  return (
    <nav aria-label={label} className={styles.filters}>
      {options.map((option) => (
        <Link
          key={option.label}
          to="."
          search={{ ...view, [param]: option.value } as never}
          resetScroll={false}
          activeOptions={{ includeSearch: false }}
          className={styles.filter}
          aria-current={view[param] === option.value ? 'true' : undefined}
          data-chosen={view[param] === option.value || undefined}
        >
          {option.label}
          {option.count === undefined ? null : <span className={styles.count}>{option.count}</span>}
        </Link>
      ))}
    </nav>
  )
}
