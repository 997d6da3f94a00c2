/** An entry by a name that came from outside: `constructor` is a name like any other and must not find what every object has. */
export const own = <T>(record: Record<string, T> | undefined, key: string): T | undefined =>
  record && Object.hasOwn(record, key) ? record[key] : undefined
