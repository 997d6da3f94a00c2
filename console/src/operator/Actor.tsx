import { Id } from '../ui/Id.tsx'

/** Who did something: a key by its id, everybody and everything else by name. */
export function Actor({ actor }: { actor: string }) {
  return /^[a-z]+_[0-9a-z]{26}$/.test(actor) ? <Id value={actor} label="actor" /> : <span>{actor}</span>
}
