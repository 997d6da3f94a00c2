import { type RouteDefinition, route } from '../route.ts'
import { RatingPreview, RatingPreviewRequest } from '../schemas/rating.ts'

/** From usage to amounts. */
export const ratingRoutes = {
  previewRating: route({
    method: 'POST',
    path: '/rating/preview',
    summary: 'What a price gives for usage, changes, coupons and credits; nothing is kept',
    description:
      'Pure arithmetic: equal requests give equal lines. Each line carries the calculation that made it. At most 5,000 usage records and 512 KiB.',
    tag: 'Rating',
    permission: 'billing:rating:preview',
    tenancy: 'house',
    body: RatingPreviewRequest,
    response: RatingPreview,
    bodyLimit: 524_288,
  }),
} as const satisfies Record<string, RouteDefinition>
