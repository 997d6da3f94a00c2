import { Link } from '@tanstack/react-router'
import { useView } from '../search.ts'
import styles from './FilterLinks.module.css'

type Option = { value: string | undefined; label: string; count?: number | undefined }

type Props = {
  label: string
  param: string
  options: Option[]
  /** What holds, where the address alone does not say it. */
  chosen?: string | undefined
}

/** One filter as links, so that every filtered view has an address. */
export function FilterLinks({ label, param, options, chosen }: Props) {
  const [view] = useView()
  const holds = chosen ?? view[param]
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
          aria-current={holds === option.value ? 'true' : undefined}
          data-chosen={holds === option.value || undefined}
        >
          {option.label}
          {option.count === undefined ? null : <span className={styles.count}>{option.count}</span>}
        </Link>
      ))}
    </nav>
  )
}
