import { describe, expect, it } from 'vitest';
import { event, hello, parsePacket } from '../core/packets';

describe('the frames of a WebSocket-only Socket.IO client', () => {
  it('reads what the server says', () => {
    expect(parsePacket('0{"sid":"x","upgrades":[],"pingInterval":5000,"pingTimeout":10000}')).toEqual({ kind: 'open', silence_ms: 15_000 });
    expect(parsePacket('2')).toEqual({ kind: 'ping' });
    expect(parsePacket('40{"sid":"y"}')).toEqual({ kind: 'connected' });
    expect(parsePacket('42["state",{"v":1}]')).toEqual({ kind: 'event', name: 'state', body: { v: 1 } });
    expect(parsePacket('4312[{"v":1,"ok":true}]')).toEqual({ kind: 'ack', id: 12, body: { v: 1, ok: true } });
    expect(parsePacket('44{"message":"m","data":{"v":1,"code":"token_expired"}}')).toEqual({ kind: 'refused', given: { v: 1, code: 'token_expired' } });
    expect(parsePacket('44{"message":"no"}')).toEqual({ kind: 'refused', given: undefined });
    expect(parsePacket('41')).toEqual({ kind: 'closed' });
    expect(parsePacket('1')).toEqual({ kind: 'closed' });
  });

  it('writes what the server reads', () => {
    expect(hello({ v: 1, token: 't' })).toBe('40{"v":1,"token":"t"}');
    expect(event(7, 'enter', { v: 1 })).toBe('427["enter",{"v":1}]');
  });

  it('passes over everything else, and never throws', () => {
    for (const frame of ['', '6', '3', '42', '42{', '42[1]', '42["a"', '43', '43[]', '4', '45-{}', '9', 'x', new ArrayBuffer(3), null, undefined, 4])
      expect(['other', 'event'], String(frame)).toContain(parsePacket(frame).kind);
    expect(parsePacket('430')).toEqual({ kind: 'ack', id: 0, body: undefined });
  });
});
