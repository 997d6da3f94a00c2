import { useApi } from '../api/api.ts'
import { useTenant } from './useTenant.ts'

/** What an add-on is called on offer; its key in words where it is not on offer any more. */
export function useAddOnName(): (addOn: string) => string {
  const tenant = useTenant()
  const offers = useApi('listPlans', { query: tenant })
  const names = new Map(offers.data?.data.flatMap(({ addOns }) => addOns.map(({ addOn, name }) => [addOn, name])))
  return (addOn) => names.get(addOn) ?? addOn.replaceAll('_', ' ')
}
