// Replaces the camera and microphone by a picture that flashes white and a tone that sounds in the same instant, once a
// second, so that a recording tells how far sound and picture are apart. Runs before the page's own scripts.
(() => {
  const make = () => {
    const canvas = document.createElement('canvas');
    canvas.width = 640;
    canvas.height = 480;
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
    let frame = 0;
    setInterval(() => {
      const on = audio.currentTime % 1 < 0.2;
      gain.gain.value = on ? 0.5 : 0;
      pen.fillStyle = on ? '#fff' : '#123';
      pen.fillRect(0, 0, 640, 480);
      pen.fillStyle = '#888';
      pen.fillRect((frame += 3) % 640, 200, 30, 30);
    }, 20);
    return new MediaStream([...canvas.captureStream(30).getTracks(), ...out.stream.getTracks()]);
  };
  let made;
  const some = (wanted) => {
    made ??= make();
    const tracks = [];
    if (wanted.video) tracks.push(made.getVideoTracks()[0].clone());
    if (wanted.audio) tracks.push(made.getAudioTracks()[0].clone());
    return new MediaStream(tracks);
  };
  navigator.mediaDevices.getUserMedia = async (wanted = {}) => some(wanted);
})();
