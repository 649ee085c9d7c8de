/** A table that scrolls within its own width; `rows` are its `tr`. */
import type { ComponentChildren } from 'preact';

export function Table({ label, heads, rows, class: name = '' }: { label: string; heads: readonly string[]; rows: ComponentChildren; class?: string }) {
  return (
    <div class={`scroll ${name}`} tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {heads.map((each) => (
              <th key={each} scope="col">
                {each}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{rows}</tbody>
      </table>
    </div>
  );
}
