/** The connection test's page: one sentence and the next step for the person, every step and a report for the engineer. */
import { useState } from 'preact/hooks';
import { type CheckupFacts, deviceCause, type Outcome, STEPS } from '../../core/checkup';
import type { CheckWords as Words } from '../../words/kinds';
import { Button } from '../parts/button';
import { Heading } from '../parts/heading';
import { Icon, type IconName } from '../parts/icon';
import { Said } from '../parts/said';

const ICONS: Readonly<Record<Outcome, IconName | null>> = { waiting: null, trying: 'back', good: 'tick', weak: 'bars', failed: 'warn', absent: null };

interface CheckGiven {
  readonly now: CheckupFacts;
  readonly w: Words;
  readonly mode: 'normal' | 'elder' | 'max';
  readonly act: { start(): void; copy(): Promise<boolean>; download(): void; language(): void; mode(): void };
}

function rate(bps: number | null): string {
  return bps === null ? '–' : bps >= 1_000_000 ? `${(bps / 1_000_000).toFixed(1)} Mbit/s` : `${Math.round(bps / 1000)} kbit/s`;
}

/** What to do next: of devices, by their cause. */
function nextOf({ verdict, steps }: CheckupFacts, w: Words): string {
  if (verdict === null) return w.tryLead;
  return (verdict === 'devices' ? w.tryDevices[deviceCause(steps) ?? ''] : undefined) ?? w.tryNext[verdict];
}

export function CheckPage({ now, w, mode, act }: CheckGiven) {
  const [copied, setCopied] = useState(false);
  const { verdict, flow } = now;
  const good = verdict === 'good' || verdict === 'detour';
  const next = nextOf(now, w);
  const begun = now.running || verdict !== null;
  return (
    <>
      <header class="head">
        <b>{w.brand}</b>
        <button type="button" class="ghost size" data-act="mode" aria-pressed={mode !== 'normal'} onClick={act.mode}>
          {mode === 'elder' ? w.bigger : w.elder}
        </button>
        <button type="button" class="ghost" data-act="language" lang={w.otherLang} onClick={act.language}>
          {w.other}
        </button>
      </header>
      <main class="try" data-page="checkup" data-verdict={verdict ?? undefined}>
        <Heading page="checkup">{verdict === null ? w.tryTitle : w.tryVerdict[verdict]}</Heading>
        <p class={`told ${verdict === null ? '' : good ? 'good' : 'warn'}`}>{next}</p>
        <Button act="start" kind={good ? 'soft' : 'main'} disabled={now.running} onTap={act.start}>
          {now.running ? w.tryRunning : begun ? w.tryAgain : w.tryStart}
        </Button>
        {begun && (
          <ul>
            {STEPS.map((step) => {
              const { outcome, ms, why } = now.steps[step];
              const icon = ICONS[outcome];
              return (
                <li key={step} class={outcome} data-step={step} data-outcome={outcome}>
                  {icon === null ? <span class="i" /> : <Icon name={icon} />}
                  <span>{w.trySteps[step]}</span>
                  <span class="quiet">
                    {w.tryOutcome[outcome]}
                    {ms !== null && outcome !== 'failed' && ` · ${ms} ms`}
                    {why !== null && w.tryWhy[why] !== undefined && ` · ${w.tryWhy[why]}`}
                  </span>
                </li>
              );
            })}
          </ul>
        )}
        {flow !== null && <p class="quiet">{w.tryFlow(rate(flow.up_bps), rate(flow.down_bps), flow.rtt_ms === null ? '–' : `${flow.rtt_ms} ms`)}</p>}
        {verdict !== null && (
          <section>
            <p class="quiet">{w.tryReport}</p>
            <div class="two">
              <Button act="copy" onTap={() => void act.copy().then(setCopied)}>
                {copied ? w.tryCopied : w.tryCopy}
              </Button>
              <Button act="download" onTap={act.download}>
                {w.tryDownload}
              </Button>
            </div>
          </section>
        )}
      </main>
      <Said polite={verdict === null ? (now.running ? w.tryRunning : '') : `${w.tryVerdict[verdict]} ${next}`} />
    </>
  );
}
