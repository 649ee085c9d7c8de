import type { OwnGuestWords } from '../kinds';
import type { instead as zh } from '../zh/guest';

export const guest: OwnGuestWords = {
  guestTitle: 'You are asked to join a visit',
  guestInvites: (doctor) => `${doctor} asks you to join`,
  guestYou: (as) => `You join as: ${as}`,
  guestMasked: "Part of the patient's name is hidden. Please keep what you see and hear to yourself.",
  guestContinue: 'Continue',
  guestWaitTitle: 'You are here',
  guestWaitLive: 'The doctor knows you are here and will let you in.',
  guestWaitNotYet: 'The visit has not begun. The doctor will let you in when it does.',
  guestOut: 'The doctor asked you to step out. Keep this page: you may be asked in again.',
  guestLeave: 'Leave',
  guestWith: (names) => `In the visit now: ${names}`,
  patientPicture: "The patient's picture",
  guestLeft: 'You left the visit',
};

export const instead: { [K in keyof typeof zh]: string } = {
  consentAsk: 'Your sound and picture are recorded. Do you agree?',
  declinedTitle: 'Without recording you cannot join',
  declinedSay: 'You can tell the doctor by phone. Nothing of you was recorded.',
  checkEnter: 'Go in and wait',
  checkMicNone: 'No microphone found. They will see you, and you can type.',
  waitKept: 'You may close this and open the link again.',
  netLost: 'Connection lost. Coming back',
  netFailed: 'Not back yet, still trying. You can tell the doctor by phone.',
  liveText: 'Sound breaks up. Type instead.',
  liveConnecting: 'Connecting the pictures…',
  liveTheirCamera: "The doctor's camera is off. Sound goes on.",
  liveMuted: 'Your mic is off. Nobody can hear you.',
  liveNoMic: 'No microphone. Nobody can hear you.',
  liveDoctorAway: 'The doctor stepped away. Please stay on.',
  withdraw: 'Stop recording me, stay in the visit',
  withdrawEnds: 'Stop recording me and leave',
  endThanks: 'Thank you. You may close this page.',
};
