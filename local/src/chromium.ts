import { spawn } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * The browser for the page tests: CHROMIUM_PATH, or one that the system has, or on Debian as root one installed now.
 * Throws with the command to run where none of these works. Safe to call from several processes at once.
 */
export async function findChromium(): Promise<string> {
  const named = process.env.CHROMIUM_PATH
  if (named) {
    if (isExecutable(named)) return named
    throw new Error(`CHROMIUM_PATH is ${named}, which is not a program. Example: CHROMIUM_PATH=/usr/bin/chromium`)
  }
  const present = installedChromium()
  if (present) return present
  if (isDebian() && process.getuid?.() === 0) {
    await install()
    const installed = installedChromium()
    if (installed) return installed
  }
  throw new Error(`The browser tests need Chromium, and there is none. ${advice()}`)
}

/** Arguments for a browser without a screen that talks to nobody but the pages under test. */
export const chromiumArguments: readonly string[] = [
  '--headless',
  // Chromium's own sandbox refuses root, and containers rarely offer what it needs.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

function installedChromium(): string | undefined {
  const onPath = (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) =>
      ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'].map((name) => join(folder, name)),
    )
  const mac = [
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ]
  return [...onPath, ...mac].find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function isDebian(): boolean {
  try {
    return /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'))
  } catch {
    return false
  }
}

function advice(): string {
  const name = 'or set CHROMIUM_PATH to a Chromium or Chrome that you have'
  if (process.platform === 'darwin') return `Run "brew install --cask chromium", ${name}.`
  if (isDebian()) return `Run "sudo apt-get update && sudo apt-get install -y chromium", ${name}.`
  return `Install the package "chromium" of your system, ${name}.`
}

async function install(): Promise<void> {
  console.log('Installing Chromium for the browser tests (apt-get install chromium) …')
  // Test files run side by side: the first installs, the others wait for the lock and find it done.
  const script = 'command -v chromium || { apt-get update && apt-get install -y --no-install-recommends chromium; }'
  const child = spawn('flock', ['/tmp/turnpike-chromium.lock', 'sh', '-c', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: 600_000,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part: Buffer) => {
      output = (output + part).slice(-4_000)
    })
  }
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`Chromium could not be installed. ${advice()}\n${output.trim()}`)
}
