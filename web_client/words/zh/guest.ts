/** 中文，一起看诊的人。有的话替换患者页上的同一句。 */
import type { patient } from './patient';

/** 与患者页同名、但对客人另说的话。 */
type Said = Partial<Record<keyof typeof patient, string>>;

export const guest = {
  guestTitle: '请您一起看诊',
  guestInvites: (doctor: string) => `${doctor}请您加入`,
  guestYou: (as: string) => `您的身份：${as}`,
  guestMasked: '患者的姓名已遮住一部分。看到听到的，请保密。',
  guestContinue: '继续',
  guestWaitTitle: '您已经到了',
  guestWaitLive: '医生知道您到了，会请您进来。',
  guestWaitNotYet: '看诊还没开始。开始后医生会请您进来。',
  guestOut: '医生请您先出来。页面留着，可能还会请您。',
  guestLeave: '退出',
  guestWith: (names: string) => `现在一起看诊的有：${names}`,
  patientPicture: '患者的画面',
  guestLeft: '您退出了看诊',
};

export const instead = {
  consentAsk: '会录下您的声音和画面。您同意吗？',
  declinedTitle: '不录像，就不能加入',
  declinedSay: '您可以打电话告诉医生。没有录下您的任何内容。',
  checkEnter: '进去等医生',
  checkMicNone: '没找到话筒，大家会看到您，可以打字。',
  waitKept: '关掉再打开，链接还能用。',
  netLost: '网络断了一下，正在连回来',
  netFailed: '还没连上，还在试。可以打电话告诉医生。',
  liveText: '声音也断断续续，先打字。',
  liveConnecting: '正在接通大家的画面…',
  liveTheirCamera: '医生没开镜头，声音继续',
  liveMuted: '您的话筒关着，大家听不见',
  liveNoMic: '没有话筒，大家听不见您',
  liveDoctorAway: '医生离开一会儿，请别挂断',
  withdraw: '不再录我，留在看诊里',
  withdrawEnds: '不再录我，退出看诊',
  endThanks: '谢谢您。可以关掉这个页面了。',
} satisfies Said;
