import { useEffect, useRef } from 'preact/hooks';
import type { ComponentChildren } from 'preact';

let shown = '';

/** A page's heading. Focus goes to it when the page changes, and never on the first page. */
export function Heading({ page, children, class: name }: { page: string; children: ComponentChildren; class?: string }) {
  const node = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (shown !== '' && shown !== page) node.current?.focus();
    shown = page;
  }, [page]);
  return (
    <h1 ref={node} tabIndex={-1} class={name}>
      {children}
    </h1>
  );
}
