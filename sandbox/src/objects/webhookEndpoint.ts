import { newId, randomText } from '../store/ids.ts'
import { find, remove, save, type Tx } from '../store/transact.ts'
import { mergeMetadata, need, textOrNull } from './common.ts'
import type { WebhookEndpoint } from './types.ts'

export const apiVersion = '2026-10-28.endive'

type Params = { url: string; enabled_events: string[]; description?: string; metadata?: unknown; secrets?: string[] }

export function createEndpoint(tx: Tx, params: Params, id = newId('we')): WebhookEndpoint {
  const endpoint: WebhookEndpoint = {
    id,
    object: 'webhook_endpoint',
    api_version: apiVersion,
    application: null,
    created: tx.now,
    description: textOrNull(params.description),
    enabled_events: params.enabled_events,
    livemode: false,
    metadata: mergeMetadata({}, params.metadata),
    status: 'enabled',
    url: params.url,
    _: { secrets: params.secrets ?? [`whsec_${randomText(32)}`] },
  }
  return save(tx, endpoint)
}

/** The endpoint that the sandbox was started with: kept in step with how it is started now. */
export function configureEndpoint(
  tx: Tx,
  configured: { url: string; secret: string; events?: string[] } | undefined,
): void {
  const id = 'we_configured'
  if (!configured) {
    if (find(tx, id)) remove(tx, id)
    return
  }
  createEndpoint(
    tx,
    { url: configured.url, enabled_events: configured.events ?? ['*'], secrets: configured.secret.split(',') },
    id,
  )
}

export function updateEndpoint(
  tx: Tx,
  id: string,
  params: { url?: string; enabled_events?: string[]; disabled?: boolean; description?: string; metadata?: unknown },
): WebhookEndpoint {
  const endpoint = need<WebhookEndpoint>(tx, 'webhook_endpoint', id)
  if (params.url !== undefined) endpoint.url = params.url
  if (params.enabled_events !== undefined) endpoint.enabled_events = params.enabled_events
  if (params.disabled !== undefined) endpoint.status = params.disabled ? 'disabled' : 'enabled'
  if (params.description !== undefined) endpoint.description = textOrNull(params.description)
  endpoint.metadata = mergeMetadata(endpoint.metadata ?? {}, params.metadata)
  if (endpoint.status === 'disabled') tx.world.store.dropDeliveriesTo(id)
  return save(tx, endpoint)
}

export function deleteEndpoint(tx: Tx, id: string) {
  need<WebhookEndpoint>(tx, 'webhook_endpoint', id)
  remove(tx, id)
  tx.world.store.dropDeliveriesTo(id)
  return { id, object: 'webhook_endpoint', deleted: true }
}
