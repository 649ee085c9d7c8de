import { describe, expect, it } from 'vitest';
import { CoordinationDesk, type CoordinationPort, parse } from '../core/coordination';

const READ = {
  departments: [{ department: '内科', doctors: [{ id: 'd1', name: '李敏', here: true, waiting: 1, live: 0, longest_s: 130 }, { name: 'nobody' }] }],
  visits: [{ visit: 'V1', doctor: 'd1', phase: 'waiting', patient: '王*英', age: 68, seconds: 130, late: 'coordinator', phone_back: false, escalated: true, held: false, moved: false, pulse: { patient_present: true, doctor_present: false, patient: 'slow', doctor: null, recording: 'off' } }, { visit: 'V2' }],
};
const RATED = { ratings: [{ id: 'r1', doctor: 'd1', month: '2026-05', stars: 4, text: '清楚', state: 'pending' }, { id: 'r2' }] };
const clock = { now: () => 5, random: () => 0.5, after: () => () => undefined };
const port = (read: () => Promise<unknown>, moved = true): CoordinationPort & { asked: string[] } => {
  const asked: string[] = [];
  return { asked, read, reassign: (visit, doctor) => { asked.push(`${visit}>${doctor}`); return Promise.resolve(moved); }, ratings: () => Promise.resolve(RATED), review: (rating, decision) => { asked.push(`${rating}=${decision}`); return Promise.resolve(moved); }, failure: (error) => ((error as Error).message === '403' ? 'refused' : 'failed') };
};

describe('the coordinator’s desk', () => {
  it('reads what it knows, and leaves out what is no row', () => {
    const read = parse(READ);
    expect(read.departments?.[0]?.doctors.map((each) => [each.id, each.longest])).toEqual([['d1', 130]]);
    expect(read.visits.map((each) => [each.visit, each.late, each.patientLine, each.doctorPresent])).toEqual([['V1', true, 'slow', false]]);
    expect(parse({ ...READ, clinic: '县人民医院' }).clinic).toBe('县人民医院');
    expect(parse(null)).toEqual({ clinic: null, departments: [], visits: [] });
  });

  it('keeps the last figures while newer ones cannot be had', async () => {
    let fails = false;
    const desk = new CoordinationDesk(port(() => (fails ? Promise.reject(new Error('503')) : Promise.resolve(READ))), clock);
    await desk.open();
    fails = true;
    await desk.open();
    expect([desk.now.failure, desk.now.visits.length]).toEqual(['failed', 1]);
  });

  it('shows what nobody has read, keeps what was decided, and says which decision did not arrive', async () => {
    const works = port(() => Promise.resolve(READ));
    const desk = new CoordinationDesk(works, clock);
    await desk.open();
    expect(desk.now.ratings.map((each) => [each.id, each.stars, each.state])).toEqual([['r1', 4, 'pending']]);
    await desk.review('r1', 'shown');
    for (let each = 0; each < 12; each += 1) await desk.open();
    expect([works.asked, desk.now.ratings.map((each) => each.state), desk.now.unreviewed]).toEqual([['r1=shown'], ['shown'], null]);
    const other = new CoordinationDesk(port(() => Promise.resolve(READ), false), clock);
    await other.open();
    await other.review('r1', 'hidden');
    expect([other.now.ratings[0]?.state, other.now.unreviewed]).toEqual(['pending', 'r1']);
  });

  it('gives a patient to another doctor, and says when that did not work', async () => {
    const works = port(() => Promise.resolve(READ));
    const desk = new CoordinationDesk(works, clock);
    await desk.open();
    desk.choose('V1');
    await desk.reassign('V1', 'd2');
    expect([works.asked, desk.now.choosing, desk.now.trouble]).toEqual([['V1>d2'], null, false]);
    const other = new CoordinationDesk(port(() => Promise.resolve(READ), false), clock);
    await other.open();
    await other.reassign('V1', 'd2');
    expect([other.now.choosing, other.now.trouble]).toEqual(['V1', true]);
  });
});
