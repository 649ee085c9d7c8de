// Replaces the camera and microphone by a picture that flashes white and a tone that begins at the same moment, once a
// second, so that a recording tells how far sound and picture are apart. Runs before the page's own scripts.
// A page that waits for a core draws late. So the beep is laid on the sound's own clock ahead of time, and the picture says
// itself when it was taken, as a camera does (a canvas's stream stamps a picture when it has been read back, late or not). And
// it is small: two pages that encode 480 lines three times each on two cores are what starved the sound cards.
(() => {
  const EVERY_MS = 1000;
  const LASTS_MS = 200;
  const AHEAD_MS = 100;
  const FRAME_MS = 50; // A part of EVERY_MS: each flash begins with a picture, and none is dropped for being too near the last.
  const make = () => {
    const canvas = document.createElement('canvas');
    canvas.width = 320;
    canvas.height = 240;
    const pen = canvas.getContext('2d');
    const audio = new AudioContext({ latencyHint: 'interactive', sampleRate: 48000 });
    void audio.resume();
    const gain = audio.createGain();
    const tone = audio.createOscillator();
    const out = audio.createMediaStreamDestination();
    tone.frequency.value = 880;
    gain.gain.value = 0;
    tone.connect(gain).connect(out);
    tone.start();
    const picture = new MediaStreamTrackGenerator({ kind: 'video' });
    const frames = picture.writable.getWriter();
    let soundBegan = Infinity; // When the sound's clock stood at 0, by the page's: this second, as seen when it was least late.
    let laid = 0;
    let taken = 0;
    const lay = (now) => {
      if (audio.currentTime > 0) soundBegan = Math.min(soundBegan, now - audio.currentTime * 1000);
      const next = Math.ceil((now + AHEAD_MS) / EVERY_MS) * EVERY_MS;
      if (next === laid || soundBegan === Infinity) return;
      laid = next;
      gain.gain.setValueAtTime(0.5, (next - soundBegan) / 1000);
      gain.gain.setValueAtTime(0, (next + LASTS_MS - soundBegan) / 1000);
      soundBegan = Infinity; // A starved sound card leaves out what it missed, and is later from then on.
    };
    const take = (now) => {
      const due = Math.floor(now / FRAME_MS) * FRAME_MS;
      if (due === taken) return;
      taken = due;
      pen.fillStyle = due % EVERY_MS < LASTS_MS ? '#fff' : '#123';
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.fillStyle = '#888';
      pen.fillRect((due / 8) % canvas.width, 100, 30, 30);
      void frames.write(new VideoFrame(canvas, { timestamp: due * 1000 }));
    };
    setInterval(() => {
      const now = performance.now();
      lay(now);
      take(now);
    }, 10);
    return { video: picture, audio: out.stream.getAudioTracks()[0] };
  };
  let made;
  navigator.mediaDevices.getUserMedia = async (wanted = {}) => {
    made ??= make();
    return new MediaStream(['video', 'audio'].filter((kind) => wanted[kind]).map((kind) => made[kind].clone()));
  };
})();
