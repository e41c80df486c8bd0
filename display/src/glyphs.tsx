// The shapes of the map as they stand in lists and in the legend.
import { Kind } from "./frame";

export function Glyph({ kind, acts = false }: { kind: number; acts?: boolean }) {
  return (
    <svg class={`glyph ${acts ? "glyph-acts" : ""}`} viewBox="-12 -12 24 24" aria-hidden="true">
      {kind === Kind.tentative && <circle r="7" fill="none" stroke="currentColor" stroke-width="2" stroke-dasharray="3 3" />}
      {kind === Kind.confirmed && <path d="M0-7 7 0 0 7-7 0Z" fill="none" stroke="currentColor" stroke-width="2" />}
      {kind === Kind.threat && <path d="M0-9 9 0 0 9-9 0Z" fill="currentColor" />}
      {kind === Kind.engaged && (
        <g><path d="M0-6 6 0 0 6-6 0Z" fill="currentColor" /><circle r="10" fill="none" stroke="currentColor" stroke-width="2" /></g>
      )}
      {kind === Kind.ended && <path d="M-6-6 6 6M-6 6 6-6" stroke="currentColor" stroke-width="2.5" />}
    </svg>
  );
}
