// Served as never changing, as everything is whose name carries a version: a change here is a new name.
// Runs before the first paint, as its own file because the page allows no inline scripts: no flash of the other scheme.
try {
  const chosen = localStorage.getItem('turnpike-color-scheme')
  const dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light')
} catch {
  document.documentElement.setAttribute('data-mantine-color-scheme', 'light')
}
