/** Version of the payloads (API-4): the date of the last change that a reader could notice. */
export const apiVersion = '2026-11-21'
export const apiPrefix = '/api/v1'
