import { type Permission, permissions, type Role, roles } from '@turnpike/contract'
import type { ApiKeyRecord } from './store.ts'

/** A proven identity and what it may do. `tenantId: null` serves every tenant and must name one in each request. */
export type Credential = {
  kind: 'key' | 'person'
  id: string
  name: string
  role: Role
  tenantId: string | null
  permissions: ReadonlySet<Permission>
}

export const permissionsOfRole = (role: Role): ReadonlySet<Permission> =>
  new Set(roles[role].permissions as readonly Permission[])

/** A key holds its role's permissions, or the narrower set it was made with; never more (SEC-1). */
export const credentialOfKey = (key: ApiKeyRecord): Credential => {
  const ofRole = permissionsOfRole(key.role)
  const held =
    key.permissions === null
      ? ofRole
      : new Set(
          key.permissions.filter((name): name is Permission => name in permissions && ofRole.has(name as Permission)),
        )
  return { kind: 'key', id: key.keyId, name: key.name, role: key.role, tenantId: key.tenantId, permissions: held }
}
