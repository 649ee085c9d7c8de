/** Claims in IndexedDB: they outlive the page. Where there is none (a private window may refuse it), they live with the page. */
import type { ClaimKeeper, Kept } from '../core/claims';

const NAME = 'teleconsult';
const STORE = 'claims';

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((then, fail) => {
    request.onsuccess = () => then(request.result);
    request.onerror = () => fail(request.error ?? new Error('indexeddb'));
  });
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return done(request);
}

async function within<T>(mode: IDBTransactionMode, does: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  try {
    const work = database.transaction(STORE, mode);
    const kept = new Promise<void>((then, fail) => {
      work.oncomplete = () => then();
      work.onabort = work.onerror = () => fail(work.error ?? new Error('indexeddb'));
    });
    const [found] = await Promise.all([done(does(work.objectStore(STORE))), kept]);
    return found;
  } finally {
    database.close();
  }
}

const beside = new Map<string, Kept>();

export const claims: ClaimKeeper = {
  async all() {
    try {
      return (await within('readonly', (store) => store.getAll())) as Kept[];
    } catch {
      return [...beside.values()];
    }
  },
  async put(key, kept) {
    try {
      await within('readwrite', (store) => store.put(kept, key));
    } catch {
      beside.set(key, kept);
    }
  },
  async drop(key) {
    beside.delete(key);
    try {
      await within('readwrite', (store) => store.delete(key));
    } catch {
      // It was not there; the server takes a claim twice as once.
    }
  },
};
