import type { RatingPreview, RatingPreviewRequest } from '@turnpike/contract'
import { rate, ratingView, readRatingRequest } from '../index.ts'

/** What the route answers, for requests that are in order. */
export const preview = (request: RatingPreviewRequest): RatingPreview => {
  const read = readRatingRequest(request, null)
  if (!read.ok) throw new Error(JSON.stringify(read.errors))
  return ratingView(read.input, rate(read.input))
}
const errorsOf = (request: RatingPreviewRequest) => {
  const read = readRatingRequest(request, null)
  return read.ok ? [] : read.errors
}
/** The fields that a request is refused for. */
export const mistakes = (request: RatingPreviewRequest): string[] => errorsOf(request).map(({ field }) => field)
/** What is told of them, read as one sentence. */
export const refusals = (request: RatingPreviewRequest): string[] =>
  errorsOf(request).map(({ field, message }) => `${field} ${message}`)
