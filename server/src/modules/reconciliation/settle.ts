import { canonicalJson } from '../../core/canonical.ts'
import type { Difference, FindingRecord } from './finding.ts'

export type Settled = {
  /** Differences that are no finding yet. */
  opened: Difference[]
  /** Findings that were seen again, with what they look like now. An accepted one that looks different is open again. */
  seenAgain: { finding: FindingRecord; now: Difference; reopened: boolean }[]
  /** Findings whose difference is not there any more. */
  gone: FindingRecord[]
}

/** What a complete second look means for the findings that it covers: all that are open or accepted of its tenant and kinds. */
export const settle = (findings: readonly FindingRecord[], differences: readonly Difference[]): Settled => {
  const nameOf = ({ kind, object }: { kind: string; object: string }) => `${kind} ${object}`
  const known = new Map(findings.map((finding) => [nameOf(finding), finding]))
  const seen = new Map(differences.map((difference) => [nameOf(difference), difference]))
  return {
    opened: [...seen].filter(([name]) => !known.has(name)).map(([, difference]) => difference),
    seenAgain: [...seen].flatMap(([name, now]) => {
      const finding = known.get(name)
      return finding ? [{ finding, now, reopened: finding.state === 'accepted' && !looksAlike(finding, now) }] : []
    }),
    gone: findings.filter((finding) => !seen.has(nameOf(finding))),
  }
}

const looksAlike = (a: Difference, b: Difference): boolean =>
  canonicalJson([a.here, a.there]) === canonicalJson([b.here, b.there])
