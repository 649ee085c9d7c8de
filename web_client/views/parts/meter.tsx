/** A microphone's level: five bars that write to their own nodes, outside rendering. */
import { useEffect, useRef } from 'preact/hooks';

export type Listen = (tell: (level: number) => void) => () => void;

export function Meter({ listen, label }: { listen: Listen | null; label: string }) {
  const node = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (listen === null) return;
    return listen((level) => {
      node.current?.setAttribute('data-level', String(Math.round(level * 5)));
    });
  }, [listen]);
  return (
    <div class="meter" ref={node} role="img" aria-label={label} data-level="0">
      <i />
      <i />
      <i />
      <i />
      <i />
    </div>
  );
}
