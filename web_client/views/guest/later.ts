/** What comes after the lobby, in one piece: it is fetched while the guest reads. */
export { Ended, Left } from './after';
export { Live } from './live';
