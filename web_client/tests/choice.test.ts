import { describe, expect, it } from 'vitest';
import { Choice } from '../core/choice';
import type { Ack } from '../core/wire';
import { settle } from './bench';

const OK: Ack = { ok: true, body: {} };

function begin() {
  const told: (boolean | null)[] = [];
  const answers: ((ack: Ack) => void)[] = [];
  const choice = new Choice((last) => told.push(last));
  const turn = (on: boolean) => void choice.turn(on, () => new Promise((then) => answers.push(then)));
  const answer = async (ack: Ack = OK) => {
    answers.shift()?.(ack);
    await settle();
  };
  return { choice, told, turn, answer };
}

describe('a choice', () => {
  it('stands from the tap on, whatever an older state says, until one comes after the answer', async () => {
    const { choice, told, turn, answer } = begin();
    const older = {};
    choice.hear({}, true);
    turn(false);
    expect(choice.over(true)).toBe(false);
    choice.hear(older, true);
    await answer();
    choice.hear(older, true);
    expect(choice.over(true)).toBe(false);
    choice.hear({}, false);
    expect(told).toEqual([false, null]);
  });

  it('is done with at its answer where the state said the same before', async () => {
    const { choice, told, turn, answer } = begin();
    turn(true);
    choice.hear({}, true);
    await answer();
    expect(told).toEqual([true, null]);
    choice.hear({}, false);
    expect(choice.over(false)).toBe(false);
  });

  it('turned again before the answer is as it was turned last', async () => {
    const { choice, turn, answer } = begin();
    turn(true);
    turn(false);
    choice.hear({}, true);
    await answer();
    expect(choice.over(true)).toBe(false);
    await answer();
    choice.hear({}, false);
    expect(choice.over(false)).toBe(false);
  });

  it('is forgotten when it was refused, and with the connection', async () => {
    const { choice, turn, answer } = begin();
    choice.hear({}, false);
    turn(true);
    await answer({ ok: false, code: 'phase_wrong' });
    expect(choice.over(false)).toBe(false);
    turn(true);
    await answer();
    choice.hear(null, false);
    expect(choice.over(false)).toBe(false);
  });
});
