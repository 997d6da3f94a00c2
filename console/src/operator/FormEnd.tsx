import { Button } from '@mantine/core'
import { describeProblem } from '../api/problem.ts'
import { ProblemNote } from '../ui/StateBlock.tsx'
import form from './form.module.css'

type Props = {
  /** What is said on the button that does it. */
  words: string
  change: { isPending: boolean; error: Error | null }
  onClose: () => void
}

/** How the forms of the house end: what does it, what leaves it, and what was wrong with it. */
export function FormEnd({ words, change, onClose }: Props) {
  return (
    <>
      <div className={`row ${form.wide}`}>
        <Button type="submit" loading={change.isPending}>
          {words}
        </Button>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
      </div>
      {change.error ? (
        <div className={form.wide}>
          <ProblemNote problem={describeProblem(change.error)} />
        </div>
      ) : null}
    </>
  )
}
