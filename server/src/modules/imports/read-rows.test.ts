import { type ImportFormat, rowsOf } from '@turnpike/contract'
import { expect, test } from 'vitest'
import { type Reading, readRows } from './read-rows.ts'

const plain: Reading = { columns: {}, meter: null, delimiter: ',' }
const read = (text: string, format: ImportFormat = 'csv', reading = plain, heading: string[] | null = null) =>
  readRows(
    rowsOf(text, format).rows.map(({ line, text: row }) => ({ line: line + 1, text: row })),
    format,
    reading,
    heading,
    'import:f00',
  )
const at = '2026-01-01T00:00:00Z'

const pieces: [name: string, format: ImportFormat, text: string, rows: [number, string][], end: number][] = [
  [
    'lines',
    'ndjson',
    'a\nb\n',
    [
      [0, 'a'],
      [1, 'b'],
    ],
    4,
  ],
  ['a line that goes on', 'ndjson', 'a\nb', [[0, 'a']], 2],
  ['nothing', 'csv', '', [], 0],
  [
    'a break within quotes',
    'csv',
    '1,"x\ny"\n2,z\n',
    [
      [0, '1,"x\ny"'],
      [2, '2,z'],
    ],
    12,
  ],
  [
    'a doubled quote',
    'csv',
    '1,"x""\ny"\n2\n',
    [
      [0, '1,"x""\ny"'],
      [2, '2'],
    ],
    12,
  ],
  ['a quote that is still open', 'csv', '1\n2,"x\n', [[0, '1']], 2],
  [
    'quotes mean nothing in NDJSON',
    'ndjson',
    '"\nb\n',
    [
      [0, '"'],
      [1, 'b'],
    ],
    4,
  ],
  ['a quote that is never closed', 'csv', `1,"\n${'2\n'.repeat(40_000)}`, [[0, '1,"']], 80_004],
]

test.each(pieces)('rows are told apart: %s', (_, format, text, rows, end) => {
  const split = rowsOf(text, format)
  expect(split.rows.slice(0, rows.length).map(({ line, text: row }) => [line, row])).toEqual(rows)
  expect(split.end).toBe(end)
})

const mixed = (rowOf: (n: number) => string, length = 40) => Array.from({ length }, (_, n) => `${rowOf(n)}\n`).join('')
test.each([
  ['fields of two lines', mixed((n) => (n % 3 ? `${n},x` : `${n},"a\n""b"`))],
  ['quotes within fields', mixed((n) => (n % 3 ? `${n},15" screen` : `${n},"a\n""b"`))],
  ['quotes that are never closed', mixed((n) => (n % 5 ? `${n},x` : `${n},"15 screen`))],
  [
    'both',
    mixed((n) => [`${n},"15 screen`, `${n},x`, `${n},"a,\nb",c`, `${n},15"`, '"', `"${n}"\r`, '""",""x'][n % 7]!, 200),
  ],
])('a file cut anywhere between rows has the same rows: %s', (_, text) => {
  const whole = rowsOf(text, 'csv').rows.map((row) => row.text)
  for (let size = 8; size < 60; size += 7) {
    const rows: string[] = []
    for (let place = 0, length = size; place < text.length; ) {
      const piece = rowsOf(text.slice(place, place + length), 'csv')
      rows.push(...piece.rows.map((row) => row.text))
      length = piece.end === 0 ? length + size : size
      place += piece.end
    }
    expect(rows).toEqual(whole)
  }
})

test('no more rows are looked for than are wanted, and what comes after them is not read', () => {
  expect(rowsOf('1\n2\n3\n', 'csv', { most: 2 })).toEqual({
    rows: [
      { line: 0, text: '1' },
      { line: 1, text: '2' },
    ],
    lines: 2,
    end: 4,
  })
})

const costly: [ImportFormat, string][] = [
  ['csv', 'x'],
  ['csv', '"x'],
  ['csv', '""'],
  ['csv', '"""'],
  ['csv', '"""",""x'],
  ['csv', 'x,"'],
  ['ndjson', 'x'],
]
test.each(costly)('the text is read a few times, however many lines it has: %s %s', (format, line) => {
  // Says how far each search went, which is what a long text costs.
  let read = 0
  const text = `"\n${`${line}\n`.repeat(6_000)}`
  const watched = Object.assign(Object(text) as string, {
    indexOf: (what: string, from = 0) => {
      const found = text.indexOf(what, from)
      read += (found < 0 ? text.length : found) - from + 1
      return found
    },
  }) as string
  expect(rowsOf(watched, format, { isLast: true }).end).toBe(text.length)
  expect(read).toBeLessThan(4 * text.length)
})

const quotes: [name: string, text: string, rows: string[]][] = [
  ['within a field', '1,15" x\n2,y\n3,17" x\n4,z\n', ['1,15" x', '2,y', '3,17" x', '4,z']],
  ['at the beginning of a field, twice', '1,"15 x\n2,y\n3,"17 x\n4,z\n', ['1,"15 x', '2,y', '3,"17 x', '4,z']],
  ['before a field that has its own', '1,"15 x\n2,y\n3,"z"\n', ['1,"15 x', '2,y', '3,"z"']],
  ['that the file does not close', '1,"15 x\n2,y\n', ['1,"15 x', '2,y']],
  ['after a mark of the byte order', '\ufeff"a\nb"\n2\n', ['\ufeff"a\nb"', '2']],
  ['before a carriage return', '1,"a\r\nb"\r\n2\r\n', ['1,"a\r\nb"\r', '2\r']],
  ['between delimiters and in no field', '"a\nb","c"\n"",""\n', ['"a\nb","c"', '"",""']],
]
test.each(quotes)('a quote %s', (_, text, rows) => {
  const split = rowsOf(text, 'csv', { isLast: true })
  expect(split.rows.map((row) => row.text)).toEqual(rows)
  expect(split).toMatchObject({ lines: text.split('\n').length - 1, end: text.length })
})

test('a quote opens a field after the delimiter of the file', () => {
  const rows = (delimiter: string) => rowsOf('1;"a\nb"\n', 'csv', { delimiter }).rows.map(({ text }) => text)
  expect(rows(';')).toEqual(['1;"a\nb"'])
  expect(rows(',')).toEqual(['1;"a', 'b"'])
})

test('a quote that is never closed costs its own line, and as many lines stay together as prove it', () => {
  const text = `1,"\n${'2\n'.repeat(3_000)}`
  expect(rowsOf(text, 'csv', { most: 1 })).toMatchObject({ lines: 1_001, end: 2_004 })
  expect(rowsOf(text.slice(0, 2_004), 'csv')).toMatchObject({ lines: 1_001, end: 2_004 })
  expect(rowsOf(text.slice(0, 2_002), 'csv')).toMatchObject({ lines: 0, end: 0 })
})

const files: [name: string, text: string, read: unknown[]][] = [
  [
    'columns by name, in any order; what is not known is passed over',
    `note,quantity,at,meter,idempotencyKey\nhello,2.5,${at},calls,k-1\n`,
    [{ line: 2, record: { quantity: 2.5, at, meter: 'calls', idempotencyKey: 'k-1' } }],
  ],
  [
    'a row without a key has the one of its line',
    `at,meter\n\n${at},calls\n`,
    [{ line: 3, record: { at, meter: 'calls', idempotencyKey: 'import:f00:3' } }],
  ],
  [
    'empty cells are left out; carriage returns and a byte order mark are not read',
    `\ufeffat,meter,quantity,service\r\n${at},calls,,\r\n`,
    [{ line: 2, record: { at, meter: 'calls', idempotencyKey: 'import:f00:2' } }],
  ],
  [
    'properties have columns of their own',
    `at,meter,properties.region\n${at},calls,eu\n`,
    [{ line: 2, record: { at, meter: 'calls', idempotencyKey: 'import:f00:2', properties: { region: 'eu' } } }],
  ],
  [
    'a backslash is a character as any other',
    `at,meter,service\n${at},calls,C:\\udata\n`,
    [{ line: 2, record: { at, meter: 'calls', service: 'C:\\udata' } }],
  ],
  ['a row without a time', 'at,meter\n,calls\n', [{ line: 2, mistake: 'The row has no time.' }]],
  [
    'a quantity that is none',
    `at,meter,quantity\n${at},calls,1e3\n${at},calls,1234567890123456\n`,
    [
      { line: 2, mistake: 'The quantity is no number: 1e3.' },
      { line: 3, mistake: 'The quantity has more than 15 digits.' },
    ],
  ],
  [
    'a broken row costs only itself',
    `at,meter\n${at},calls\n${at},"calls"x\n${at}\n${at},calls\n`,
    [
      { line: 2, record: { at, meter: 'calls', idempotencyKey: 'import:f00:2' } },
      { line: 3, mistake: 'The row is not CSV: a quote is out of place.' },
      { line: 4, mistake: 'The row has 1 columns; the heading has 2.' },
      { line: 5, record: { at, meter: 'calls', idempotencyKey: 'import:f00:5' } },
    ],
  ],
]

test.each(files)('CSV: %s', (_, text, rows) => {
  expect(read(text)).toMatchObject({ read: rows })
})

test('columns may be named, a meter may stand for all rows, and a later piece knows the heading', () => {
  const reading: Reading = {
    columns: { at: 'when', quantity: 'n', tenantId: 'account', properties: { region: 'zone' } },
    meter: 'calls',
    delimiter: ';',
  }
  const heading = ['account', 'when', 'n', 'zone']
  const record = { tenantId: 'a', at, quantity: 3, properties: { region: 'eu' }, meter: 'calls' }
  expect(read(`account;when;n;zone\na;${at};3;eu\n`, 'csv', reading)).toMatchObject({ heading, read: [{ record }] })
  expect(read(`a;${at};3;eu\n`, 'csv', reading, heading)).toMatchObject({ heading, read: [{ line: 1, record }] })
})

test('a named column that is not in the heading is a mistake of the whole', () => {
  const reading: Reading = { columns: { at: 'when', properties: { region: 'zone' } }, meter: null, delimiter: ',' }
  expect(read(`at\n${at}\n`, 'csv', reading)).toEqual({ missing: ['columns.at', 'columns.properties.region'] })
})

test.each([
  ['ends its lines with carriage returns alone', `at,meter\r${at},calls\r${at},calls\r\n`, /carriage return alone/],
  ['has a quote out of place', `at,me"ter\n${at},calls\n`, /a quote is out of place/],
])('a file whose heading %s is a mistake of the whole', (_, text, unreadable) => {
  expect(read(text)).toEqual({ unreadable: expect.stringMatching(unreadable) })
})

test('NDJSON: objects, one a line; anything else is a mistake of its line', () => {
  const text = [
    JSON.stringify({ at, meter: 'calls', quantity: 2, idempotencyKey: 'a', properties: { x: 1 }, other: true }),
    '{"at":',
    '[1]',
    JSON.stringify({ at, meter: 'calls', service: '\ud800' }),
    JSON.stringify({ at, meter: 'calls', properties: { x: '\ud800' } }),
    JSON.stringify({ at, meter: 'calls', properties: { '\ud800': 'x' } }),
    JSON.stringify({ at, meter: 'calls', idempotencyKey: 'b', properties: { x: '\\ud800' } }),
    '',
  ].join('\n')
  expect(read(text, 'ndjson')).toEqual({
    heading: null,
    read: [
      { line: 1, record: { at, meter: 'calls', quantity: 2, idempotencyKey: 'a', properties: { x: 1 } } },
      { line: 2, mistake: 'The line is not JSON.' },
      { line: 3, mistake: 'The line is no JSON object.' },
      { line: 4, mistake: 'The row contains half a surrogate pair.' },
      { line: 5, mistake: 'The row contains half a surrogate pair.' },
      { line: 6, mistake: 'The row contains half a surrogate pair.' },
      { line: 7, record: { at, meter: 'calls', idempotencyKey: 'b', properties: { x: '\\ud800' } } },
    ],
  })
})
