import { type ApiKey, type Role, roleNames } from '@turnpike/contract'
import { type Command, Option } from 'commander'
import { facts, table } from '../print.ts'
import type { Session } from '../session.ts'

export const addKeyCommands = (program: Command, session: Session): void => {
  const keys = program.command('keys').description('API keys')

  keys
    .command('create')
    .description('Create an API key; its secret is shown once')
    .requiredOption('--name <name>', 'what it is for')
    .addOption(new Option('--role <role>').choices([...roleNames]).makeOptionMandatory())
    .option('--tenant <tenant>', 'bind it to one tenant')
    .option('--permission <permission...>', 'fewer permissions than the role has')
    .option('--expires <instant>', 'such as 2027-01-01T00:00:00Z')
    .action(async (options: { name: string; role: Role; tenant?: string; permission?: string[]; expires?: string }) => {
      const { name, role, tenant: tenantId, permission: permissions, expires: expiresAt } = options
      const { data } = await session.client().createApiKey({
        body: {
          name,
          role,
          ...(tenantId ? { tenantId } : {}),
          ...(permissions ? { permissions } : {}),
          ...(expiresAt ? { expiresAt } : {}),
        },
      })
      session.show(data, [...keyText(data), '', data.key, 'This is the only time that the key is shown.'])
    })

  keys
    .command('list')
    .description('List API keys, newest first')
    .action(async () => {
      const { data } = await session.client().listApiKeys()
      session.show(
        data,
        table(
          ['id', 'key', 'name', 'role', 'tenant', 'created', 'last used', 'state'],
          data.map((key) => [
            key.id,
            `${key.prefix}…`,
            key.name,
            key.role,
            key.tenantId,
            key.createdAt,
            key.lastUsedAt,
            stateOf(key),
          ]),
          'No API keys.',
        ),
      )
    })

  keys
    .command('revoke <id>')
    .description('Revoke an API key at once')
    .action(async (keyId: string) => {
      const { data } = await session.client().revokeApiKey({ params: { keyId } })
      session.show(data, [`Key ${data.id} is revoked.`, ...keyText(data)])
    })
}

const keyText = (key: ApiKey): string[] =>
  facts([
    ['id', key.id],
    ['name', key.name],
    ['role', key.role],
    ['tenant', key.tenantId],
    ['permissions', key.permissions?.join(', ')],
    ['expires', key.expiresAt],
    ['revoked', key.revokedAt],
  ])

const stateOf = (key: ApiKey): string => {
  if (key.revokedAt) return `revoked ${key.revokedAt}`
  return key.expiresAt ? `until ${key.expiresAt}` : 'valid'
}
