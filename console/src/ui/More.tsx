import { Button } from '@mantine/core'

/** The way to the rest of a list. */
export function More({
  reading,
}: {
  reading: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown }
}) {
  if (!reading.hasNextPage) return null
  return (
    <div>
      <Button variant="default" loading={reading.isFetchingNextPage} onClick={() => reading.fetchNextPage()}>
        Show more
      </Button>
    </div>
  )
}
