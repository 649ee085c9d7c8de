import { useEffect, useRef } from 'preact/hooks';
import type { ComponentChildren } from 'preact';

let shown = '';

/** A page's heading. Focus goes to it when the page changes, and never on the first page. */
interface Given {
  page: string;
  children: ComponentChildren;
  class?: string;
  /** 2 where the page has a name of its own above it. */
  level?: 1 | 2;
}

export function Heading({ page, children, class: name, level = 1 }: Given) {
  const node = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (shown !== '' && shown !== page) node.current?.focus();
    shown = page;
  }, [page]);
  const Level = level === 1 ? 'h1' : 'h2';
  return (
    <Level ref={node} tabIndex={-1} class={name}>
      {children}
    </Level>
  );
}
