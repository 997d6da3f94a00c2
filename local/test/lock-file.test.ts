import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

type Locked = { optionalDependencies?: Record<string, string>; peerDependenciesMeta?: Record<string, unknown> }

// npm leaves out of the lock file what the registry did not offer on the day, and `npm ci` then refuses to work at all.
test('the lock file names the packages of every platform, so that `npm ci` works on each', () => {
  const file = new URL('../../package-lock.json', import.meta.url)
  const { packages } = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, Locked> }
  const missing = Object.entries(packages).flatMap(([path, locked]) =>
    Object.keys(locked.optionalDependencies ?? {}).filter(
      (name) => !locked.peerDependenciesMeta?.[name] && !isLocked(packages, path, name),
    ),
  )
  expect(missing).toEqual([])
})

/** Looks where Node looks: in the package itself, then in each folder above it. */
function isLocked(packages: Record<string, Locked>, path: string, name: string): boolean {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (`${folder && `${folder}/`}node_modules/${name}` in packages) return true
    if (folder === '') return false
  }
}
