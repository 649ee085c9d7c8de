/** A bundle from this machine: verified here, with or without a server. */
import type { AuditorGiven } from './shape';

export function Opening({ w, open }: { w: AuditorGiven['w']; open: (chosen: readonly File[]) => void }) {
  const chosen = (event: Event): void => {
    const field = event.currentTarget as HTMLInputElement;
    open([...(field.files ?? [])]);
    field.value = '';
  };
  return (
    <section class="card opening" data-opening>
      <h2>{w.local}</h2>
      <p class="quiet">{w.localSay}</p>
      <p class="files">
        <label class="btn soft">
          <span>{w.localZip}</span>
          <input type="file" accept=".zip,application/zip" data-local="zip" onChange={chosen} />
        </label>
        <label class="btn soft">
          <span>{w.localFolder}</span>
          <input type="file" data-local="folder" {...{ webkitdirectory: true }} onChange={chosen} />
        </label>
      </p>
    </section>
  );
}
