import { createHmac } from 'node:crypto'

/** `t=…,v1=…`: one v1 for each secret, over `<t>.<body>` with the whole secret as the key. */
export function signatureHeader(body: string, secrets: string[], at: number): string {
  const signatures = secrets.map((secret) => `v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`)
  return [`t=${at}`, ...signatures].join(',')
}
