import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** What the system knows about a running process: its parent and its command line; undefined when there is none. */
export function inspectProcess(pid: number): { parent: number; command: string } | undefined {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid)
}

function fromProc(pid: number): { parent: number; command: string } | undefined {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
    const parent = /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return { parent: Number(parent), command }
  } catch {
    return undefined
  }
}

function fromPs(pid: number): { parent: number; command: string } | undefined {
  const line = spawnSync('ps', ['-o', 'ppid=,command=', '-p', String(pid)], { encoding: 'utf8' }).stdout?.trim()
  const match = /^(\d+)\s+(.*)$/s.exec(line ?? '')
  return match ? { parent: Number(match[1]), command: match[2]! } : undefined
}
