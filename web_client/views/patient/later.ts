/** What is not on everyone's way to the waiting room, in one piece: it is fetched while the patient reads, long before the doctor calls. */
export { Check } from './check';
export { Early } from './early';
export { Ended } from './ended';
export { Live } from './live';
