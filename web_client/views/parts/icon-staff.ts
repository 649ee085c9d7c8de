/** Icons of the doctor's and the auditor's pages: a patient's phone need not load them. */
export const STAFF = {
  bell: 'M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 2h-15zM10 21h4',
  bellOff: 'M6 16.5V11q0-2 1-3.4M9.5 5.5A6 6 0 0 1 18 11v3M4.5 18.5h12.5M10 21h4M4 3l16 18',
  find: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L20 20',
  play: 'M7 4.5v15l12-7.5z',
  pause: 'M8 5v14M16 5v14',
  load: 'M12 4v11M7.5 11L12 15.5 16.5 11M4.5 20h15',
} as const;
