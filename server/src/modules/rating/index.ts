export { rate } from './rate.ts'
export { readRatingRequest } from './read-request.ts'
export { ratingView } from './view.ts'
