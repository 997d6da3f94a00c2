import { Anchor, Button, type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core'

/** Road-sign blue. Shade 7 carries white text at 9:1; shade 3 is the link colour on dark. */
const road: MantineColorsTuple = [
  '#eef3ff',
  '#dbe5fd',
  '#b9ccfa',
  '#9db9ff',
  '#6d90ee',
  '#4a72dd',
  '#2f58c6',
  '#2348ad',
  '#1c3c94',
  '#142d72',
]

export const theme = createTheme({
  colors: { road },
  primaryColor: 'road',
  // The stock shades of the library fail WCAG AA; these and the variables below pass in both schemes.
  primaryShade: { light: 7, dark: 6 },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  headings: { fontWeight: '650', fontFamily: 'inherit' },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Anchor: Anchor.extend({ defaultProps: { underline: 'always', inherit: true } }),
    Button: Button.extend({
      defaultProps: { fw: 600 },
      // Labels are sentences here: they wrap where there is no room.
      styles: {
        root: {
          display: 'inline-flex',
          alignItems: 'center',
          justifyContent: 'center',
          height: 'auto',
          minHeight: 'var(--button-height)',
          paddingBlock: 2,
        },
        label: { whiteSpace: 'normal', height: 'auto', textAlign: 'center', lineHeight: 1.3 },
      },
      // The small button of cards and rows: 30 px high with 14 px text.
      vars: (_, { size }) => ({
        root:
          size === 'compact-md'
            ? { '--button-height': '30px', '--button-fz': '14px', '--button-padding-x': '11px' }
            : {},
      }),
    }),
  },
})

/** Mantine's own colours follow the tokens of `app.css`, so that one place decides contrast. */
export const cssVariables: CSSVariablesResolver = () => {
  const shared = {
    '--mantine-color-body': 'var(--tp-surface)',
    '--mantine-color-text': 'var(--tp-ink)',
    '--mantine-color-dimmed': 'var(--tp-ink-2)',
    '--mantine-color-placeholder': 'var(--tp-ink-3)',
    '--mantine-color-error': 'var(--tp-danger-ink)',
    '--mantine-color-anchor': 'var(--tp-link)',
    '--mantine-color-default': 'var(--tp-surface)',
    '--mantine-color-default-hover': 'var(--tp-sunken)',
    '--mantine-color-default-color': 'var(--tp-ink)',
    '--mantine-color-default-border': 'var(--tp-line-strong)',
    '--mantine-color-road-light': 'var(--tp-info-wash)',
    '--mantine-color-road-light-color': 'var(--tp-info-ink)',
    '--mantine-color-red-light': 'var(--tp-danger-wash)',
    '--mantine-color-red-light-color': 'var(--tp-danger-ink)',
    '--mantine-color-red-filled': '#b42020',
    '--mantine-color-red-filled-hover': '#951a1a',
    '--mantine-color-gray-light-color': 'var(--tp-ink)',
  }
  return { variables: {}, light: shared, dark: shared }
}
