import type Stripe from 'stripe'
import { emit, emitUpdate, snapshot } from '../events/emit.ts'
import { newId } from '../store/ids.ts'
import { find, listOf, remove, save, type Tx } from '../store/transact.ts'
import { invalid } from '../wire/errors.ts'
import { assignSent, mergeMetadata, need, textOrNull } from './common.ts'
import { createPrice } from './price.ts'
import type { Price, Product } from './types.ts'

export function createProduct(tx: Tx, params: Stripe.ProductCreateParams): Product {
  const id = params.id ?? newId('prod', 14)
  if (find(tx, id)) throw invalid(`Product already exists: ${id}`, 'id', 'resource_already_exists')
  const product: Product = {
    id,
    object: 'product',
    active: params.active ?? true,
    created: tx.now,
    default_price: null,
    description: textOrNull(params.description),
    images: params.images ?? [],
    livemode: false,
    marketing_features: params.marketing_features ?? [],
    metadata: mergeMetadata({}, params.metadata),
    name: params.name,
    package_dimensions: params.package_dimensions ?? null,
    shippable: params.shippable ?? null,
    statement_descriptor: textOrNull(params.statement_descriptor),
    tax_code: textOrNull(params.tax_code),
    tax_details: null,
    type: 'service',
    unit_label: textOrNull(params.unit_label),
    updated: tx.now,
    url: textOrNull(params.url),
  }
  save(tx, product)
  emit(tx, 'product.created', product)
  if (params.default_price_data) {
    const price = createPrice(tx, { ...params.default_price_data, product: id } as Stripe.PriceCreateParams)
    product.default_price = price.id
    save(tx, product)
  }
  return product
}

export function updateProduct(tx: Tx, id: string, params: Stripe.ProductUpdateParams): Product {
  const product = need<Product>(tx, 'product', id)
  const before = snapshot(tx, product)
  if (params.default_price) need<Price>(tx, 'price', params.default_price, 'default_price')
  assignSent(product, params, [
    'active',
    'default_price',
    'description',
    'name',
    'package_dimensions',
    'shippable',
    'statement_descriptor',
    'tax_code',
    'unit_label',
    'url',
  ])
  if (params.images !== undefined) product.images = params.images || []
  if (params.marketing_features !== undefined) product.marketing_features = params.marketing_features || []
  product.metadata = mergeMetadata(product.metadata ?? {}, params.metadata)
  product.updated = tx.now
  save(tx, product)
  emitUpdate(tx, 'product.updated', product, before)
  return product
}

export function deleteProduct(tx: Tx, id: string) {
  const product = need<Product>(tx, 'product', id)
  if (listOf<Price>(tx, 'price', { parent: id }).length > 0)
    throw invalid('This product cannot be deleted because it has one or more user-created prices.', 'id')
  remove(tx, id)
  emit(tx, 'product.deleted', product)
  return { id, object: 'product', deleted: true }
}
