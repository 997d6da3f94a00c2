import type { RatingPreview, RatingPreviewRequest } from '@turnpike/contract'
import { rate, ratingView, readRatingRequest } from '../index.ts'

/** What the route answers, for requests that are in order. */
export const preview = (request: RatingPreviewRequest): RatingPreview => {
  const read = readRatingRequest(request, null)
  if (!read.ok) throw new Error(JSON.stringify(read.errors))
  return ratingView(read.input, rate(read.input))
}
/** The fields that a request is refused for. */
export const mistakes = (request: RatingPreviewRequest): string[] => {
  const read = readRatingRequest(request, null)
  return read.ok ? [] : read.errors.map(({ field }) => field)
}
