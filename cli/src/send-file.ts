import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { TurnpikeError } from '@turnpike/client'
import { type ImportFormat, rowsOf } from '@turnpike/contract'
import { UsageError } from './usage-error.ts'

const pieceBytes = 400_000
/** The service takes 5,000 and no more; lines that stay together may go beyond ours. */
const rowsMax = 4_000

export const describeFile = async (path: string): Promise<{ size: number; sha256: string }> => {
  const sum = createHash('sha256')
  let size = 0
  try {
    for await (const bytes of createReadStream(path) as AsyncIterable<Buffer>) {
      sum.update(bytes)
      size += bytes.length
    }
  } catch (error) {
    throw new UsageError(`The file cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}.`)
  }
  return { size, sha256: sum.digest('hex') }
}

/**
 * Sends a file from a byte on, piece by piece, each with whole rows. When the service has another place in mind than we, for
 * example because the answer to a piece was lost, it says so, and sending goes on there.
 */
export const sendFile = async <Progress extends { offset: number }>(
  path: string,
  format: ImportFormat,
  delimiter: string,
  from: Progress,
  size: number,
  send: (piece: { offset: number; text: string }) => Promise<Progress>,
  onProgress: (progress: Progress) => boolean,
): Promise<Progress> => {
  const file = await open(path)
  try {
    let progress = from
    let bytes = pieceBytes
    while (progress.offset < size) {
      const { offset } = progress
      const buffer = Buffer.alloc(Math.min(bytes, size - offset))
      const { bytesRead } = await file.read(buffer, 0, buffer.length, offset)
      if (bytesRead === 0) throw new UsageError('The file has become shorter while it was read.')
      const text = cut(buffer.subarray(0, bytesRead), format, delimiter, offset + bytesRead === size)
      if (text === '') {
        if (bytes > 8 * pieceBytes) throw new UsageError(`The row that begins at byte ${offset} is too long.`)
        bytes *= 2
        continue
      }
      bytes = pieceBytes
      try {
        progress = await send({ offset, text })
      } catch (error) {
        const expected = error instanceof TurnpikeError ? error.problem.expectedOffset : undefined
        if (!(error instanceof TurnpikeError) || error.code !== 'import_offset_wrong' || typeof expected !== 'number')
          throw error
        if (expected === offset) throw error
        progress = { ...progress, offset: expected }
        continue
      }
      if (!onProgress(progress)) break
    }
    return progress
  } finally {
    await file.close()
  }
}

/** As many whole rows as fit; the rest comes with the next piece. */
const cut = (bytes: Buffer, format: ImportFormat, delimiter: string, isLast: boolean): string => {
  // In UTF-8 a line break is never part of another character.
  const lastBreak = bytes.lastIndexOf(0x0a)
  const decoded = (part: Buffer): string => {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(part)
    } catch {
      throw new UsageError('The file is not UTF-8.')
    }
  }
  const text = decoded(isLast ? bytes : bytes.subarray(0, lastBreak + 1))
  const whole = isLast && !text.endsWith('\n') ? `${text}\n` : text
  return text.slice(0, rowsOf(whole, format, { delimiter, isLast, most: rowsMax }).end)
}
