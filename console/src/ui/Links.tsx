import { Anchor, Button, type ButtonProps } from '@mantine/core'
import { createLink } from '@tanstack/react-router'
import type { ComponentProps } from 'react'

/** Mantine's looks on the router's links: both are real `<a>` elements, also the one that looks like a button. */
export const TextLink = createLink(Anchor<'a'>)
export const ButtonLink = createLink(ButtonAnchor)

function ButtonAnchor(props: ButtonProps & Omit<ComponentProps<'a'>, keyof ButtonProps>) {
  return <Button component="a" {...props} />
}
