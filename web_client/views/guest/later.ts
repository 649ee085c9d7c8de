/** What comes after the first pages, in one piece: it is fetched while the guest reads. */
export { Check } from '../patient/check';
export { Ended, Left } from './after';
export { Live } from './live';
