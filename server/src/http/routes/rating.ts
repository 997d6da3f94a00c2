import { fail } from '../../core/errors.ts'
import { rate, ratingView, readRatingRequest } from '../../modules/rating/index.ts'
import type { Handlers } from '../handler.ts'

/** Nothing is read but the catalog in memory, and nothing is kept. */
export const ratingHandlers: Handlers<'previewRating'> = {
  previewRating: ({ deps, body }) => {
    const read = readRatingRequest(body, body.plan ? deps.catalog() : null)
    if (!read.ok) throw fail('invalid_request', { errors: read.errors })
    return ratingView(read.input, rate(read.input))
  },
}
