type Fields = Record<string, unknown> | null

/** The fields in which two records differ, as text; a side that has nothing there is left out. */
export function changesBetween(before: Fields, after: Fields): { field: string; before?: string; after?: string }[] {
  const fields = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])]
  return fields.flatMap((field) => {
    const [old, now] = [textOf(before?.[field]), textOf(after?.[field])]
    if (old === now) return []
    return [{ field, ...(old === undefined ? {} : { before: old }), ...(now === undefined ? {} : { after: now }) }]
  })
}

const textOf = (value: unknown): string | undefined =>
  value === undefined || value === null ? undefined : typeof value === 'string' ? value : JSON.stringify(value)
