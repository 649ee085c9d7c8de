/**
 * A hospital's prescribing page, as small as it can be: what a real one does to live in the slot (PROTOCOL.md §11).
 * It hands the one-time code to its own server and learns there who the patient is; its server signs, hashes and confirms.
 */
const given = new URLSearchParams(location.hash.slice(1));
const HANDLE = given.get('messaging_handle') ?? '';
const ORIGIN = given.get('messaging_origin') ?? '';
const WORDS = {
  zh: { title: '县人民医院 · 处方（示例）', waiting: '正在取患者…', drug: '药品', how: '用法', days: '天数', sign: '签名并送审', signed: '已签名，送药师审核', lost: '没有取到患者，请重新打开', kept: '没有送出，请再点一次' },
  en: { title: 'County Hospital · prescription (sample)', waiting: 'Fetching the patient…', drug: 'Medicine', how: 'Directions', days: 'Days', sign: 'Sign and send to review', signed: 'Signed, sent to the pharmacist', lost: 'No patient. Open it again', kept: 'Not sent. Please try again' },
};
let w = WORDS.zh;
/** Says these words, and says them anew in another language. */
const tell = (node, key) => {
  node.dataset.say = key;
  node.textContent = w[key];
};
let session = null;
const at = (id) => document.getElementById(id);
const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (each) => each.toString(16).padStart(2, '0')).join('');
const send = (messageType, payload) => parent.postMessage({ messagingHandle: HANDLE, messageId: newId(), messageType, payload }, ORIGIN);
const ask = async (path, body) => {
  const answer = await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
};

const HEARS = {
  'tc.context': async ({ launch }) => {
    try {
      const found = await ask('launch', { code: launch, behave: new URLSearchParams(location.search).get('behave') });
      session = found.session;
      at('who').removeAttribute('data-say');
      at('who').textContent = found.patient.name;
      at('sign').disabled = false;
    } catch {
      tell(at('who'), 'lost');
    }
  },
  'tc.state': ({ language }) => {
    w = WORDS[language] ?? WORDS.zh;
    document.documentElement.lang = language;
    for (const node of document.querySelectorAll('[data-say]')) node.textContent = w[node.dataset.say];
  },
};
addEventListener('message', (event) => {
  // A page checks its partner as its partner checks it.
  if (event.source !== parent || event.origin !== ORIGIN) return;
  void HEARS[event.data?.messageType]?.(event.data.payload);
});
at('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  at('sign').disabled = true;
  try {
    const claim = await ask('sign', { session, ...Object.fromEntries(new FormData(at('form'))) });
    send('tc.rx', claim);
    tell(at('said'), 'signed');
  } catch {
    tell(at('said'), 'kept');
  }
  at('sign').disabled = false;
});
send('status.handshake', { versions: ['1'], capabilities: ['tc.rx'] });
