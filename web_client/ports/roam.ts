/** When this device changes its network, as far as browsers say: Chromium on phones, and everything that was offline. */

export function whenNetworkChanges(then: () => void): void {
  addEventListener('online', then);
  const connection = (navigator as { connection?: EventTarget & { type?: string } }).connection;
  let type = connection?.type;
  // It also changes with every guess at the speed.
  connection?.addEventListener('change', () => {
    if (connection.type !== type) then();
    type = connection.type;
  });
}
