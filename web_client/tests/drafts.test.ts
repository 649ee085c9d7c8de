import { describe, expect, it } from 'vitest';
import type { Call } from '../core/call';
import { Drafts } from '../core/drafts';

const kept = new Map<string, string>();
const memory = { recall: (key: string) => kept.get(key) ?? null, keep: (key: string, value: string) => void kept.set(key, value) };
const still = { now: () => 0, random: () => 0, after: () => () => undefined };

function visit(name: string, told: string[]): Call {
  const insist = (event: string, payload?: { text?: string }) => Promise.resolve((told.push(`${name} ${event} ${payload?.text ?? ''}`), { ok: true as const, body: { text: '' } }));
  return { now: { session: { state: { visit: name, advice: '' } } }, insist } as unknown as Call;
}

describe('what a doctor writes', () => {
  it('belongs to its call, and goes out when the desk goes to another one', async () => {
    const told: string[] = [];
    const drafts = new Drafts(memory, still);
    const [one, other] = [visit('v1', told), visit('v2', told)];
    const { advice } = drafts.of(one);
    expect(drafts.of(one).advice).toBe(advice);
    expect(drafts.of(other).advice).not.toBe(advice);
    advice.write('rest');
    expect(told).not.toContain('v1 advice rest');
    drafts.leave(one);
    await new Promise((then) => setTimeout(then));
    expect(told).toContain('v1 advice rest');
    expect(told.some((each) => each.startsWith('v2 advice'))).toBe(false);
  });
});
