/** Tells when the battery is nearly empty and nothing charges it. Browsers that do not tell of batteries (Firefox, Safari) are never low. */
interface Battery extends EventTarget {
  readonly level: number;
  readonly charging: boolean;
}

/** A visit takes a tenth of an old phone's battery, and more. */
const LOW = 0.15;

export function whenBattery(told: (low: boolean) => void): void {
  const ask = (navigator as { getBattery?: () => Promise<Battery> }).getBattery;
  ask?.call(navigator).then(
    (battery) => {
      const tell = (): void => told(battery.level <= LOW && !battery.charging);
      for (const change of ['levelchange', 'chargingchange']) battery.addEventListener(change, tell);
      tell();
    },
    () => undefined,
  );
}
