import { describe, expect, it } from 'vitest';
import { Checkup, deviceCause, type CheckupPort, type Flow, type Rehearsal, type Way } from '../core/checkup';
import { Bench } from './bench';

const FAST: Flow = { up_bps: 1e6, down_bps: 1e6, up_lost: 0, down_lost: 0, rtt_ms: 40 };

function begin(change: Partial<CheckupPort> & { blocked?: readonly Way[]; absent?: readonly Way[]; flow?: Flow } = {}) {
  const rehearsal: Rehearsal = {
    has: (way) => !(change.absent ?? []).includes(way),
    connect: (way) => ((change.blocked ?? []).includes(way) ? Promise.reject(new Error('timeout')) : Promise.resolve()),
    flow: () => Promise.resolve(change.flow ?? FAST),
  };
  const port: CheckupPort = {
    secure: true,
    begin: () => Promise.resolve(rehearsal),
    socket: () => Promise.resolve(),
    device: () => Promise.resolve(),
    about: () => ({ browser: 'x' }),
    ...change,
  };
  return new Checkup(port, new Bench());
}

const RELAYS = ['relay-udp', 'relay-tcp', 'relay-tls'] as const;

describe('checkup', () => {
  it.each([
    ['all is well', {}, 'good'],
    ['UDP is blocked', { blocked: ['udp'] }, 'detour'],
    ['only a relay is left', { blocked: ['udp', 'tcp', 'relay-udp', 'relay-tcp'] }, 'detour'],
    ['nothing is left', { blocked: ['udp', 'tcp'], absent: RELAYS }, 'media'],
    ['it is slow', { flow: { ...FAST, up_bps: 200_000 } }, 'slow'],
    ['it loses much', { flow: { ...FAST, down_lost: 0.2 } }, 'slow'],
    ['no WebSocket passes', { socket: () => Promise.reject(new Error('closed')) }, 'socket'],
    ['the server is not there', { begin: () => Promise.reject(new Error('unreachable')) }, 'server'],
    ['the address is not secure', { secure: false }, 'insecure'],
    ['the microphone is refused', { device: (source: string) => (source === 'microphone' ? Promise.reject(new Error('NotAllowedError')) : Promise.resolve()) }, 'devices'],
  ] as const)('says one thing when %s', async (_name, change, verdict) => {
    const checkup = begin(change as Parameters<typeof begin>[0]);
    await checkup.run();
    expect(checkup.now.verdict).toBe(verdict);
    expect(checkup.now.running).toBe(false);
    for (const tried of Object.values(checkup.now.steps)) expect(['good', 'weak', 'failed', 'absent']).toContain(tried.outcome);
  });

  it('knows why a device did not come, for the sentence that says what to do', async () => {
    const checkup = begin({ device: (source) => (source === 'microphone' ? Promise.reject(new Error('NotReadableError')) : Promise.resolve()) });
    await checkup.run();
    expect(deviceCause(checkup.now.steps)).toBe('NotReadableError');
    const good = begin();
    await good.run();
    expect(deviceCause(good.now.steps)).toBeNull();
  });

  it('reports which step is blocked and why, and nothing of the person', async () => {
    const checkup = begin({ blocked: ['udp'], absent: RELAYS });
    await checkup.run();
    const report = JSON.parse(JSON.stringify(checkup.report())) as Record<string, never>;
    expect(report['steps']).toMatchObject({ udp: { outcome: 'failed', why: 'timeout' }, tcp: { outcome: 'good' }, 'relay-tls': { outcome: 'absent' } });
    expect(Object.keys(report).sort()).toEqual(['about', 'at', 'flow', 'report', 'steps', 'verdict', 'version']);
  });
});
