import type { FastifyReply } from 'fastify'
import { type Content, html } from './html.ts'

type Page = { title: string; body: Content }

export function sendPage(reply: FastifyReply, status: number, page: Page): FastifyReply {
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${page.title}</title>
<link rel="icon" href="/_pages/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/_pages/style.css">
<script src="/_pages/enhance.js" defer></script>
</head>
<body>
<header class="ribbon"><strong>Sandbox</strong><span>no money moves</span></header>
${page.body}
</body>
</html>`
  return reply
    .code(status)
    .header('content-type', 'text/html; charset=utf-8')
    .header('content-security-policy', contentSecurityPolicy)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .header('cache-control', 'no-store')
    .send(document.markup)
}

// Browsers apply form-action to the redirects after a form as well, and those lead to the merchant's success address
// on an origin that only the API caller knows. Forms themselves always post to this server.
const contentSecurityPolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "form-action 'self' http: https:",
].join('; ')

// A state of a page in which there is nothing to fill in: expired, done, not found.
export function sendMessage(
  reply: FastifyReply,
  status: number,
  message: { title: string; tone: 'ok' | 'neutral' | 'warning'; text: Content; action?: Content },
): FastifyReply {
  return sendPage(reply, status, {
    title: message.title,
    body: html`<main class="sheet message ${message.tone}">
      <span class="mark" aria-hidden="true"></span>
      <h1>${message.title}</h1>
      <p>${message.text}</p>
      ${message.action}
    </main>`,
  })
}

export function sendNotFound(reply: FastifyReply): FastifyReply {
  return sendMessage(reply, 404, {
    title: 'Nothing here',
    tone: 'neutral',
    text: 'This address is wrong, or what it led to no longer exists.',
  })
}
