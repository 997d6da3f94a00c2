import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { contractFacts } from './src/build/contract-facts.ts'

const service = process.env.TURNPIKE_URL ?? 'http://127.0.0.1:4000'

export default defineConfig({
  plugins: [contractFacts(), react()],
  build: {
    target: 'es2023',
    // The budget test reads which files the first page needs.
    manifest: true,
    // A data: URI would need its own word in the Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { host: '127.0.0.1', proxy: { '/api': service, '/health': service } },
})
