import { Banner } from '../ui/Banner.tsx'
import { TextLink } from '../ui/Links.tsx'
import { useTenant } from './useTenant.ts'

/** Instead of a button that would always fail: who may do it. */
export function NotAllowed({ what = 'change the plan' }: { what?: string }) {
  const tenant = useTenant()
  return (
    <Banner tone="neutral" title={`Your role cannot ${what}`}>
      Ask the billing owner, an administrator or a billing contact.{' '}
      <TextLink to="/billing" search={tenant}>
        Back to billing
      </TextLink>
    </Banner>
  )
}
