import { Drawer } from '@mantine/core'
import type { ReactNode } from 'react'

type Props = { opened: boolean; title: string; onClose: () => void; children: ReactNode; size?: number }

/** One object beside the list that it is in. Escape and the address close it. */
export function SidePanel({ opened, title, onClose, children, size = 560 }: Props) {
  return (
    <Drawer.Root opened={opened} onClose={onClose} position="right" size={size}>
      <Drawer.Overlay />
      <Drawer.Content aria-label={title}>
        <Drawer.Body pt="md">
          <div className="stack">
            <div className="row spread" style={{ flexWrap: 'nowrap', alignItems: 'flex-start' }}>
              <h2>{title}</h2>
              <Drawer.CloseButton aria-label="Close" />
            </div>
            {children}
          </div>
        </Drawer.Body>
      </Drawer.Content>
    </Drawer.Root>
  )
}
