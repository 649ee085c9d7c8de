/** What comes after the waiting room, in one piece: it is fetched while the patient reads, and is here long before it is wanted. */
export { Ended } from './ended';
export { Live } from './live';
