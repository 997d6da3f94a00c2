export type { Credential } from './credential.ts'
export { authenticateKey, hashKey, newKeySecret } from './keys.ts'
export {
  type ApiKeyRecord,
  findApiKey,
  insertApiKey,
  listApiKeys,
  markKeysUsed,
  replaceSecret,
  revokeApiKey,
  upsertBootstrapKey,
} from './store.ts'
export { createTokenVerifier, type TokenVerifier } from './tokens.ts'
