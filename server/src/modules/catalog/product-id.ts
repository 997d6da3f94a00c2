type Sold = { kind: 'plan'; plan: string } | { kind: 'add_on'; addOn: string } | { kind: 'product'; product: string }

/** The id of a thing sold at the provider: ours, and the same in every environment. */
export const productIdOf = (catalogName: string, sold: Sold): string => {
  if (sold.kind === 'plan') return `${catalogName}_${sold.plan}`
  return sold.kind === 'add_on' ? `${catalogName}_addon_${sold.addOn}` : `${catalogName}_product_${sold.product}`
}
