import './mantine.ts'
import './app.css'
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { createRoot } from 'react-dom/client'
import { queryClient } from './api/api.ts'
import { takeCredentialFromAddress } from './api/credential.ts'
import { router } from './router.tsx'
import { cssVariables, theme } from './theme.ts'

takeCredentialFromAddress()
// Another sign-in link opened in this tab changes only the fragment, which loads nothing by itself.
addEventListener('hashchange', () => {
  if (takeCredentialFromAddress()) location.reload()
})

// The key is the one that public/color-scheme.v1.js reads before the first paint.
const colorSchemes = localStorageColorSchemeManager({ key: 'turnpike-color-scheme' })

createRoot(document.getElementById('root')!).render(
  <MantineProvider
    theme={theme}
    cssVariablesResolver={cssVariables}
    defaultColorScheme="auto"
    colorSchemeManager={colorSchemes}
  >
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </MantineProvider>,
)
